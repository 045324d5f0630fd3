/* machine lock, unlock, revoke, reject, delete, wipe-ack. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/machine_lookup.h"
#include "cli/machine_view.h"

/* What an act is on the wire and for the person who asks for it. */
struct act {
    const char *method;
    const char *verb;     /* behind the machine's path */
    const char *question; /* NULL for what is easily undone */
    const char *done;
    bool grants; /* signed with the operator's key */
};

/* The fingerprint says which machine is meant, as with an approval. */
static ERRFN make_body(const struct options *options, const json_t *machine, json_t **out_body)
{
    const char *fingerprint;
    TRY(json_get_text(machine, "ek_fingerprint", 96, &fingerprint));
    AUTO(json) body = json_object();
    ENSURE(body, NO_MEMORY);
    TRY(json_set_text(body, "ek_fingerprint", fingerprint));
    if (options->reason) {
        TRY(json_set_text(body, "reason", options->reason));
    }
    if (options->given & OPTION_WIPE) {
        ENSURE(json_object_set_new(body, "wipe", json_true()) == 0, NO_MEMORY);
    }
    *out_body = STEAL(body);
    return OK;
}

static ERRFN carry_out(struct session *session, const struct options *options,
                       const struct act *act, const json_t *machine, json_t **out_answer)
{
    const char *id;
    TRY(json_get_text(machine, "machine_id", MACHINE_ID_CHARS, &id));
    char target[48 + MACHINE_ID_CHARS];
    snprintf(target, sizeof target, "/api/v1/machines/%s%s", id, act->verb);
    AUTO(json) body = NULL;
    if (act->verb[0]) {
        TRY(make_body(options, machine, &body));
    }
    unsigned status = 0;
    return act->grants ? session_grant(session, act->method, target, body, &status, out_answer)
                       : session_take_away(session, target, body, out_answer);
}

static ERRFN run(struct session *session, const struct options *options, const struct act *act)
{
    AUTO(json) machine = NULL;
    AUTO(json) answer = NULL;
    TRY(machine_lookup(session, options->arguments[2], &machine));
    if (act->question) {
        TRY(machine_confirm(options, machine, act->question));
    }
    TRY(carry_out(session, options, act, machine, &answer));
    if (options->output != OUTPUT_JSON) {
        puts(act->done);
    }
    return machine_print(options, answer);
}

err_t machine_lock(struct session *session, const struct options *options)
{
    const struct act act = {.method = "POST", .verb = "/lock", .done = "Locked."};
    return run(session, options, &act);
}

err_t machine_unlock(struct session *session, const struct options *options)
{
    const struct act act = {.method = "POST",
                            .verb = "/unlock",
                            .question = "Unlock this machine?",
                            .done = "Unlocked.",
                            .grants = true};
    return run(session, options, &act);
}

err_t machine_revoke(struct session *session, const struct options *options)
{
    const struct act act = {.method = "POST",
                            .verb = "/revoke",
                            .question = options->given & OPTION_WIPE
                                            ? "Revoke this machine for good, and have it wiped?"
                                            : "Revoke this machine for good?",
                            .done = "Revoked."};
    return run(session, options, &act);
}

err_t machine_reject(struct session *session, const struct options *options)
{
    const struct act act = {.method = "POST",
                            .verb = "/reject",
                            .question = "Reject this machine?",
                            .done = "Rejected."};
    return run(session, options, &act);
}

err_t machine_delete(struct session *session, const struct options *options)
{
    const struct act act = {.method = "DELETE",
                            .verb = "",
                            .question = "Forget this machine, so that it may register again?",
                            .done = "Deleted.",
                            .grants = true};
    return run(session, options, &act);
}

err_t machine_wipe_ack(struct session *session, const struct options *options)
{
    const struct act act = {.method = "POST",
                            .verb = "/wipe-ack",
                            .question = "Has this machine been wiped?",
                            .done = "Noted as wiped.",
                            .grants = true};
    return run(session, options, &act);
}
