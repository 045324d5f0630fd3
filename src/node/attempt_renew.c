#include "node/attempt_steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static void format_end(const struct schedule_certificate *certificate,
                       char out_text[static CLOCK_TEXT_SIZE])
{
    if (certificate->held) {
        clock_format(certificate->until_ms, out_text);
    } else {
        snprintf(out_text, CLOCK_TEXT_SIZE, "(none)");
    }
}

static void tell_failure(struct attempt *attempt, const struct tpm *tpm, err_t e, bool attests)
{
    const struct renewal *renewal = &attempt->renewal;
    char enrollment[CLOCK_TEXT_SIZE];
    char svid[CLOCK_TEXT_SIZE];
    char next[64] = "attesting first";
    format_end(&renewal->certificates[CERTIFICATE_ENROLLMENT], enrollment);
    format_end(&renewal->certificates[CERTIFICATE_SVID], svid);
    if (!attests) {
        uint64_t pause_s = (renewal->next_at_ms - clock_elapsed_ms()) / 1000 + 1;
        snprintf(next, sizeof next, "trying again in %" PRIu64 " s", pause_s);
    }
    attempt_tell_error(attempt, tpm, e);
    progress_say(&attempt->progress, "renewal_failed",
                 "certificates not renewed, %s; held until: enrollment certificate %s, SVID %s",
                 next, enrollment, svid);
}

static void note(struct attempt *attempt, const struct tpm *tpm, err_t e, bool attests)
{
    uint32_t retry_after_s = IS_E(e, REFUSED) ? attempt->refusal.retry_after_s : 0;
    renewal_done(&attempt->renewal, IS_OK(e), attempt->options->poll_s, retry_after_s);
    if (!IS_OK(e)) {
        tell_failure(attempt, tpm, e, attests);
    }
}

/* An agent that stays has time to try again, and its configuration shall not wait for that. */
ERRFN attempt_enroll(struct attempt *attempt, const struct loaded *loaded,
                     const struct appliance_verdict *verdict)
{
    struct renewal *renewal = &attempt->renewal;
    bool stays = attempt->options->mode == OPTIONS_STAY;
    renewal_expect(renewal, verdict->machine_id, verdict->role);
    err_t done = attempt_certify(attempt, loaded, !stays);
    if (!stays) {
        return done;
    }
    note(attempt, loaded->tpm, done, false);
    snprintf(renewal->vain_reason, sizeof renewal->vain_reason, "%s",
             IS_E(done, REFUSED) ? attempt->refusal.reason : "");
    attempt->refusal = (struct refusal){0};
    return OK;
}

static bool attesting_may_cure(const struct attempt *attempt, err_t e)
{
    const struct refusal *refusal = &attempt->refusal;
    return IS_E(e, REFUSED) &&
           (refusal->status == 403 || strcmp(refusal->reason, "machine_unknown") == 0) &&
           strcmp(refusal->reason, attempt->renewal.vain_reason) != 0;
}

bool attempt_renew(struct attempt *attempt)
{
    attempt->refusal = (struct refusal){0};
    struct loaded loaded = {.ek = TPM_TRANSIENT_NONE, .ak = TPM_TRANSIENT_NONE};
    err_t e = attempt_tpm_open(attempt, &loaded.tpm);
    e = IS_OK(e) ? attempt_load_key(attempt, &loaded) : e;
    e = IS_OK(e) ? attempt_certify(attempt, &loaded, false) : e;
    bool attests = attesting_may_cure(attempt, e);
    note(attempt, loaded.tpm, e, attests);
    auto_release_tpm_transient(&loaded.ak);
    attempt_tpm_close(loaded.tpm);
    return !attests;
}
