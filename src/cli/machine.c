#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/machine_lookup.h"
#include "cli/machine_view.h"
#include "cli/print.h"
#include "cli/table.h"

static const struct table_column list_columns[] = {
    {"MACHINE", "machine_id", 8}, {"STATUS", "status", 0},       {"ROLE", "role", 0},
    {"HOSTNAME", "hostname", 32}, {"ADDRESS", "assigned_ip", 0}, {"PRODUCT", "hw_product", 24},
    {"SERIAL", "hw_serial", 20},  {"ASSURANCE", "assurance", 0}, {"ATTESTED", "attested_at", 19},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

err_t machine_list(struct session *session, const struct options *options)
{
    AUTO(json) list = NULL;
    TRY(machine_lookup_all(session, options->status, options->role, &list));
    if (options->output == OUTPUT_JSON) {
        return print_json(list);
    }
    table_print(stdout, list_columns, COUNT(list_columns), list);
    return OK;
}

err_t machine_get(struct session *session, const struct options *options)
{
    AUTO(json) machine = NULL;
    TRY(machine_lookup(session, options->arguments[2], &machine));
    return machine_print(options, machine);
}

static const struct table_column evidence_columns[] = {
    {"TIME", "time", 19},      {"VERDICT", "verdict", 0},   {"CHAIN", "chain", 0},
    {"REPLAY", "replay", 0},   {"REASON", "reason", 0},     {"POLICY", "policy_number", 0},
    {"BOOTS", "reset_count", 0}, {"RESUMES", "restart_count", 0},
};

err_t machine_evidence(struct session *session, const struct options *options)
{
    AUTO(json) machine = NULL;
    AUTO(json) list = NULL;
    const char *id;
    char target[96];
    TRY(machine_lookup(session, options->arguments[2], &machine));
    TRY(json_get_text(machine, "machine_id", MACHINE_ID_CHARS, &id));
    snprintf(target, sizeof target, "/api/v1/machines/%s/evidence", id);
    TRY(session_get_list(session, target, &list));
    if (options->output == OUTPUT_JSON) {
        return print_json(list);
    }
    table_print(stdout, evidence_columns, COUNT(evidence_columns), list);
    return OK;
}

/* -- approve ----------------------------------------------------------------------------------- */

/* The operator read a fingerprint off the machine itself; either of the two that are shown will do.
 */
static ERRFN compare_fingerprint(const json_t *machine, const char *expected)
{
    const char *fingerprint;
    const char *public_hash;
    TRY(json_get_text(machine, "ek_fingerprint", 96, &fingerprint));
    TRY(json_get_text_or_empty(machine, "ek_public_hash", 64, &public_hash));
    ENSURE(strcasecmp(expected, fingerprint) == 0 ||
               (public_hash[0] && strcasecmp(expected, public_hash) == 0),
           EK_FINGERPRINT_MISMATCH);
    return OK;
}

static ERRFN set_given(json_t *body, const char *key, const char *text)
{
    return text ? json_set_text(body, key, text) : OK;
}

/* The fingerprint says which machine is meant: the appliance compares it with the one it holds, and
 * the signature covers it. */
static ERRFN make_approval(const struct options *options, const json_t *machine, json_t **out_body)
{
    const char *fingerprint;
    TRY(json_get_text(machine, "ek_fingerprint", 96, &fingerprint));
    AUTO(json) body = json_object();
    ENSURE(body, NO_MEMORY);
    TRY(json_set_text(body, "role", options->role));
    TRY(set_given(body, "hostname", options->hostname));
    TRY(set_given(body, "assigned_ip", options->assigned_ip));
    TRY(set_given(body, "cluster_id", options->cluster));
    TRY(json_set_text(body, "ek_fingerprint", fingerprint));
    bool accept = options->given & OPTION_ACCEPT_UNVERIFIED_EK;
    ENSURE(json_object_set_new(body, "accept_unverified_ek", json_boolean(accept)) == 0, NO_MEMORY);
    *out_body = STEAL(body);
    return OK;
}

static ERRFN print_approved(const struct options *options, unsigned status, const json_t *answer)
{
    if (options->output == OUTPUT_JSON) {
        return print_json(answer);
    }
    if (status == 202) {
        json_int_t received = json_integer_value(json_object_get(answer, "approvals_received"));
        json_int_t required = json_integer_value(json_object_get(answer, "approvals_required"));
        printf("Waiting for another operator: %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
               " approvals.\n",
               received, required);
        return OK;
    }
    puts("Approved.");
    return machine_print(options, answer);
}

err_t machine_approve(struct session *session, const struct options *options)
{
    AUTO(json) machine = NULL;
    TRY(machine_lookup(session, options->arguments[2], &machine));
    if (options->ek_fingerprint) {
        TRY(compare_fingerprint(machine, options->ek_fingerprint));
    }
    char question[96];
    snprintf(question, sizeof question, "Approve this machine as %.64s?", options->role);
    TRY(machine_confirm(options, machine, question));
    AUTO(json) body = NULL;
    TRY(make_approval(options, machine, &body));
    const char *id;
    TRY(json_get_text(machine, "machine_id", MACHINE_ID_CHARS, &id));
    char target[48 + MACHINE_ID_CHARS];
    snprintf(target, sizeof target, "/api/v1/machines/%s/approve", id);
    unsigned status = 0;
    AUTO(json) answer = NULL;
    TRY(session_grant(session, "POST", target, body, &status, &answer));
    return print_approved(options, status, answer);
}
