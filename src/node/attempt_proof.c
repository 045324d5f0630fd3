#include "node/attempt_steps.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "crypto/digest.h"
#include "node/apply.h"
#include "node/sealed.h"
#include "node/tpm_activation.h"
#include "tpm/ak.h"
#include "tpm/event_log.h"

enum { LOG_SENT_MAX_BYTES = 512 * 1024 }; /* the appliance's limit */

struct appliance_caller attempt_caller(const struct attempt *attempt)
{
    return (struct appliance_caller){.endorsement = attempt->endorsement,
                                     .hardware = &attempt->hardware,
                                     .role = attempt->options->role,
                                     .cluster = attempt->options->cluster};
}

static const char *missing_log_text(err_t e, bool required)
{
    if (IS_E(e, TOO_LONG)) {
        return "is longer than 512 KiB";
    }
    return required ? "cannot be read, and the appliance requires it" : "cannot be read";
}

static bool knows(const struct appliance_challenge *challenge, const struct buf *log)
{
    uint8_t digest[SHA384_BYTES];
    return challenge->event_log_known && IS_OK(sha384(buf_view(log), digest)) &&
           memcmp(digest, challenge->event_log_sha384, sizeof digest) == 0;
}

/* The two in one piece. A log of userspace that there is no room for, or that can't be read, stays
 * behind: without it a PCR or two doesn't replay, with it nothing would. */
static void append_userspace(const char *path, struct buf **log)
{
    AUTO(buf) userspace = NULL;
    AUTO(buf) joined = NULL;
    AUTO(event_log) read = NULL;
    struct event_log_problem problem;
    if (IS_OK(fd_read_file(path, LOG_SENT_MAX_BYTES, &userspace)) && userspace->len > 0 &&
        IS_OK(buf_new(LOG_SENT_MAX_BYTES, &joined)) && IS_OK(buf_put(joined, buf_view(*log))) &&
        IS_OK(buf_put(joined, buf_view(userspace))) &&
        IS_OK(event_log_parse(buf_view(joined), &read, &problem)) && read->userspace) {
        buf_free(*log);
        *log = STEAL(joined);
    }
}

/* Nothing for a log that the appliance has already. */
static ERRFN read_event_log(struct attempt *attempt, const struct appliance_challenge *challenge,
                            struct buf **out_log)
{
    const char *path = attempt->options->event_log;
    AUTO(buf) log = NULL;
    err_t e = fd_read_file(path, LOG_SENT_MAX_BYTES, &log);
    if (IS_OK(e) && challenge->userspace_log && attempt->options->userspace_log) {
        append_userspace(attempt->options->userspace_log, &log);
    }
    if (IS_OK(e)) {
        bool known = knows(challenge, log);
        progress_say(&attempt->progress, "event_log", "event log of %zu bytes%s", log->len,
                     known ? ", which the appliance has already" : "");
        *out_log = known ? NULL : STEAL(log);
        return OK;
    }
    bool required = challenge->event_log_required;
    if (attempt->options->event_log_given) {
        return e;
    }
    progress_say(&attempt->progress, "event_log_missing", "no firmware event log: %s %s", path,
                 missing_log_text(e, required));
    return OK;
}

static ERRFN take_quote(struct attempt *attempt, const struct loaded *loaded,
                        const struct appliance_challenge *challenge,
                        struct quote_evidence **out_quote)
{
    AUTO(ak) ak = NULL;
    TRY(ak_parse(buf_view(attempt->key->public_area), &ak));
    TRY(quote_take(loaded->tpm, loaded->ak.handle, ak->hash_alg, &challenge->selection,
                   buf_view(challenge->nonce), out_quote));
    progress_say(&attempt->progress, "quoted", "quoted %zu PCRs", (*out_quote)->values.count);
    return OK;
}

ERRFN attempt_prove(struct attempt *attempt, const struct loaded *loaded,
                    struct appliance_verdict *out_verdict)
{
    struct appliance_caller caller = attempt_caller(attempt);
    AUTO(appliance_challenge) challenge = NULL;
    AUTO(secret) activated = NULL;
    AUTO(quote_evidence) quote = NULL;
    AUTO(buf) event_log = NULL;
    TRY(appliance_challenge(attempt->client, &caller, attempt->key, &challenge, &attempt->refusal));
    attempt->selection = challenge->selection;
    progress_say(&attempt->progress, "challenged", "challenge received");
    TRY(credential_activate(loaded->tpm, attempt->endorsement, loaded->ek.handle, loaded->ak.handle,
                            buf_view(challenge->id_object), buf_view(challenge->encrypted_secret),
                            &activated));
    progress_say(&attempt->progress, "activated", "the TPM opened the challenge");
    TRY(read_event_log(attempt, challenge, &event_log));
    TRY(take_quote(attempt, loaded, challenge, &quote));
    struct appliance_proof proof = {.challenge = challenge,
                                    .key = attempt->key,
                                    .activated = activated,
                                    .quote = quote,
                                    .event_log = event_log ? buf_view(event_log) : VIEW_EMPTY};
    return appliance_attest(attempt->client, &caller, &proof, out_verdict, &attempt->refusal);
}

/* -- configuration ----------------------------------------------------------------------------- */

static ERRFN hand_on(struct attempt *attempt, const struct secret *config)
{
    const struct options *o = attempt->options;
    if (o->apply) {
        alarm(0); /* the command takes the time it needs */
        TRY(apply_command(o->apply, config));
        progress_say(&attempt->progress, "applied", "the configuration was applied");
    } else if (o->output) {
        TRY(apply_file(o->output, secret_view(config)));
        progress_say(&attempt->progress, "written", "the configuration was written to %s",
                     o->output);
    } else {
        progress_say(&attempt->progress, "opened",
                     "the configuration opens; --apply or --output would use it");
    }
    return OK;
}

ERRFN attempt_fetch(struct attempt *attempt, const struct loaded *loaded,
                    const struct appliance_verdict *verdict)
{
    AUTO(appliance_sealed) sealed = NULL;
    AUTO(secret) config = NULL;
    TRY(appliance_config(attempt->client, verdict->config_token, &sealed, &attempt->refusal));
    TRY(sealed_open(loaded->tpm, attempt->endorsement, loaded->ek.handle, loaded->ak.handle, sealed,
                    verdict->machine_id, &config));
    progress_say(&attempt->progress, "config_opened", "the TPM opened the configuration, %zu bytes",
                 config->len);
    uint8_t digest[SHA384_BYTES];
    TRY(sha384(secret_view(config), digest));
    if (attempt->configured && memcmp(digest, attempt->config_sha384, sizeof digest) == 0) {
        progress_say(&attempt->progress, "unchanged", "it is the one that was applied before");
        return OK;
    }
    TRY(hand_on(attempt, config));
    memcpy(attempt->config_sha384, digest, sizeof digest);
    attempt->configured = true;
    return OK;
}
