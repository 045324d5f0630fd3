/* Questions to a log that has been read. */
#include "tpm/event_log_parts.h"

#include "tpm/little_endian.h"

uint16_t event_log_digest_size(const struct event_log *log, uint16_t alg)
{
    for (size_t i = 0; i < log->algorithm_count; i++) {
        if (log->algorithms[i].alg == alg) {
            return log->algorithms[i].size;
        }
    }
    const struct event_bank *bank = event_bank_of(alg);
    return bank ? bank->size : 0;
}

struct view event_log_digest(const struct event_log *log, const struct event_record *event,
                             uint16_t alg)
{
    bool old_form = log->format == EVENT_LOG_SHA1 && !event->userspace;
    if (old_form || event == log->events) {
        return alg == TPM_ALG_SHA1 ? event->digests : VIEW_EMPTY;
    }
    struct view rest = event->digests;
    uint16_t found;
    struct view digest;
    while (le_take_u16(&rest, &found) &&
           le_take_bytes(&rest, event_log_digest_size(log, found), &digest)) {
        if (found == alg) {
            return digest;
        }
    }
    return VIEW_EMPTY;
}

bool event_log_extends(const struct event_log *log, const struct event_record *event)
{
    return event->type != EV_NO_ACTION &&
           (event != log->events || log->format != EVENT_LOG_CRYPTO_AGILE);
}

bool event_log_lists(const struct event_log *log, uint16_t alg)
{
    for (size_t i = 0; i < log->algorithm_count; i++) {
        if (log->algorithms[i].alg == alg) {
            return true;
        }
    }
    return false;
}

uint16_t event_log_preferred_bank(const struct event_log *log)
{
    static const uint16_t order[] = {TPM_ALG_SHA256,   TPM_ALG_SHA384,   TPM_ALG_SHA512,
                                     TPM_ALG_SHA3_256, TPM_ALG_SHA3_384, TPM_ALG_SHA3_512,
                                     TPM_ALG_SM3_256,  TPM_ALG_SHA1};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (event_log_lists(log, order[i])) {
            return order[i];
        }
    }
    return TPM_ALG_NONE;
}

const char *event_log_format_name(enum event_log_format format)
{
    switch (format) {
    case EVENT_LOG_NONE:
        return "none";
    case EVENT_LOG_SHA1:
        return "sha1";
    case EVENT_LOG_CRYPTO_AGILE:
        return "crypto-agile";
    }
    return "none";
}
