#include "node/receipt.h"

#include "base/clock.h"
#include "node/apply.h"

enum { RECEIPT_MAX_BYTES = 32 * 1024 };

static ERRFN make_receipt(const struct attempt *attempt, struct buf **out_text)
{
    struct appliance_caller caller = {.endorsement = attempt->endorsement,
                                      .hardware = &attempt->hardware};
    AUTO(json) object = json_object();
    ENSURE(object, NO_MEMORY);
    TRY(appliance_describe(&caller, object));
    if (attempt->options->role) {
        TRY(json_set_text(object, "role", attempt->options->role));
    }
    if (attempt->options->cluster) {
        TRY(json_set_text(object, "cluster_id", attempt->options->cluster));
    }
    char now[CLOCK_TEXT_SIZE];
    clock_format(clock_utc_ms(), now);
    TRY(json_set_text(object, "created_at", now));
    AUTO(buf) text = NULL;
    TRY(json_write(object, 2, RECEIPT_MAX_BYTES, &text));
    *out_text = STEAL(text);
    return OK;
}

static ERRFN write_out(struct attempt *attempt, struct tpm *tpm)
{
    TRY(attempt_find_endorsement(attempt, tpm));
    AUTO(buf) text = NULL;
    TRY(make_receipt(attempt, &text));
    TRY(apply_file(attempt->options->receipt, buf_view(text)));
    progress_say(&attempt->progress, "receipt_written", "receipt written to %s",
                 attempt->options->receipt);
    return OK;
}

enum agent_outcome receipt_write(struct attempt *attempt)
{
    struct tpm *tpm = NULL;
    err_t e = attempt_tpm_open(attempt, &tpm);
    e = IS_OK(e) ? write_out(attempt, tpm) : e;
    if (!IS_OK(e)) {
        char more[TPM_FAILURE_TEXT_SIZE] = "";
        tpm_failure_text(tpm, more);
        progress_error(&attempt->progress, e, more);
    }
    attempt_tpm_close(tpm);
    attempt_clear(attempt);
    return IS_OK(e) ? AGENT_ATTESTED : AGENT_FAILED;
}
