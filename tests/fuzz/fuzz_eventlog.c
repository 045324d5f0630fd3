/* Parses, replays, explains and compares. Claims want digests that fit, which no fuzzer finds, so
 * each log is read as it is and once more with its SHA-1 and SHA-256 digests made to fit. */
#include "base/text.h"
#include "tpm/event_claims.h"
#include "tpm/event_describe.h"
#include "tpm/event_diff.h"
#include "tpm/event_replay.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Texts go to terminals, policies and JSON as they are. */
static void check_claims(const struct claims *claims)
{
    must(claims->count <= CLAIMS_MAX && claims->warning_count <= CLAIM_WARNINGS_MAX);
    for (size_t i = 0; i < claims->count; i++) {
        must(text_is_clean(view_text(claims->items[i].value)));
        must(strlen(claims->items[i].value) < sizeof(struct event_text));
    }
    for (size_t i = 0; i < claims->warning_count; i++) {
        must(text_is_clean(view_text(claims->warnings[i].text)));
    }
}

static void check_events(const struct event_log *log)
{
    static struct event_text text;
    for (size_t i = 0; i < log->count; i++) {
        event_text_clear(&text);
        event_describe(&log->events[i], &text);
        must(text_is_clean(view_text(text.text)));
    }
}

static void check_itself(const struct event_log *log)
{
    AUTO(event_diff) diff = NULL;
    err_t e = event_diff(log, log, &diff);
    must(IS_E(e, EVENT_LOG_UNREADABLE) || (IS_OK(e) && event_diff_empty(diff)));
}

static void use(const struct event_log *log)
{
    static struct event_replay replay;
    must(IS_OK(event_replay(log, &replay)));
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        AUTO(claims) claims = NULL;
        if (log->banks >> i & 1) {
            must(IS_OK(event_claims_read(log, event_banks[i].alg, &claims)));
            check_claims(claims);
        }
    }
    check_events(log);
    check_itself(log);
}

/* The log stands in memory of ours, so its digests may be written. */
static void make_fit(const struct event_log *log, uint8_t *bytes)
{
    for (size_t i = 0; i < log->count; i++) {
        for (size_t bank = 0; bank < 2; bank++) {
            struct view digest = event_log_digest(log, &log->events[i], event_banks[bank].alg);
            struct view measured = log->events[i].data;
            if (digest.len > 0) {
                uint8_t *at = bytes + (digest.data - bytes);
                must(EVP_Digest(measured.data, measured.len, at, NULL, event_banks[bank].md(),
                                NULL) == 1);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(event_log) log = NULL;
    struct event_log_problem problem;
    uint8_t *bytes = malloc(size ? size : 1);
    must(bytes != NULL);
    memcpy(bytes, data, size);
    if (IS_OK(event_log_parse(view_of(bytes, size), &log, &problem))) {
        must(log->count > 0 && log->padding_bytes <= size);
        use(log);
        make_fit(log, bytes);
        use(log);
    } else {
        must(problem.offset <= size && problem.reason[0] && !log);
    }
    free(bytes);
    return 0;
}
