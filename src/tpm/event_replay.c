#include "tpm/event_replay.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

AUTO_DEFINE(md_ctx, EVP_MD_CTX, EVP_MD_CTX_free);

enum { DRTM_FIRST = 17, DRTM_LAST = 22 };

static void start_value(const struct event_log *log, const struct event_bank *bank, uint32_t index,
                        uint8_t *out_value)
{
    bool ones = !log->cc && index >= DRTM_FIRST && index <= DRTM_LAST;
    memset(out_value, ones ? 0xFF : 0x00, bank->size);
    if (!log->cc && index == 0) {
        out_value[bank->size - 1] = log->startup_locality;
    }
}

static void start(const struct event_log *log, size_t number, struct event_replay_bank *out_bank)
{
    for (uint32_t index = 0; index < PCR_COUNT; index++) {
        start_value(log, &event_banks[number], index, out_bank->value[index]);
    }
    for (size_t i = 0; i < log->algorithm_count; i++) {
        if (log->locality_given && !log->cc && log->algorithms[i].alg == event_banks[number].alg) {
            out_bank->mask |= 1U; /* it says a value, even when nothing else does */
        }
    }
}

/* One update of both costs less than two. */
ERRFN event_replay_extend(EVP_MD_CTX *ctx, uint8_t *value, struct view digest)
{
    uint8_t both[2 * TPM_DIGEST_MAX_BYTES];
    memcpy(both, value, digest.len);
    memcpy(both + digest.len, digest.data, digest.len);
    ENSURE(EVP_DigestInit_ex2(ctx, NULL, NULL) == 1, CRYPTO);
    ENSURE(EVP_DigestUpdate(ctx, both, 2 * digest.len) == 1, CRYPTO);
    ENSURE(EVP_DigestFinal_ex(ctx, value, NULL) == 1, CRYPTO);
    return OK;
}

static ERRFN replay_bank(const struct event_log *log, size_t number, struct event_replay_bank *bank)
{
    const struct event_bank *algorithm = &event_banks[number];
    uint32_t registers = log->cc ? EVENT_LOG_CC_REGISTERS : PCR_COUNT;
    bool expected = event_log_lists(log, algorithm->alg);
    AUTO(md_ctx) ctx = NULL;
    start(log, number, bank);
    for (size_t i = 0; i < log->count; i++) {
        const struct event_record *event = &log->events[i];
        bool mrtd = log->cc && event->pcr == 0; /* the builder's, no event extends it */
        if (!event_log_extends(log, event) || event->pcr >= registers || mrtd) {
            continue;
        }
        struct view digest = event_log_digest(log, event, algorithm->alg);
        if (digest.len == 0) {
            bank->incomplete |= expected ? 1U << event->pcr : 0;
            continue;
        }
        if (!ctx) {
            ctx = EVP_MD_CTX_new();
            ENSURE(ctx, NO_MEMORY);
            ENSURE(EVP_DigestInit_ex2(ctx, algorithm->md(), NULL) == 1, CRYPTO);
        }
        TRY(event_replay_extend(ctx, bank->value[event->pcr], digest));
        bank->mask |= 1U << event->pcr;
    }
    return OK;
}

ERRFN event_replay(const struct event_log *log, struct event_replay *out_replay)
{
    memset(out_replay, 0, sizeof *out_replay);
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        if (log->banks >> i & 1) {
            TRY(replay_bank(log, i, &out_replay->banks[i]));
        }
    }
    return OK;
}

const struct event_replay_bank *event_replay_find(const struct event_replay *replay, uint16_t alg)
{
    const struct event_bank *bank = event_bank_of(alg);
    return bank ? &replay->banks[bank - event_banks] : NULL;
}

ERRFN event_replay_values(const struct event_replay *replay, const struct pcr_selection *selection,
                          struct pcr_values *out_values)
{
    struct pcr_values values = {0};
    for (size_t i = 0; i < selection->count; i++) {
        const struct pcr_bank_selection *bank = &selection->banks[i];
        const struct event_replay_bank *replayed = event_replay_find(replay, bank->bank);
        ENSURE(replayed, BUG);
        for (uint32_t pcr = 0; pcr < PCR_COUNT; pcr++) {
            if (bank->mask >> pcr & 1) {
                struct view value = view_of(replayed->value[pcr], pcr_bank_digest_size(bank->bank));
                TRY(pcr_values_add(&values, bank->bank, pcr, value));
            }
        }
    }
    *out_values = values;
    return OK;
}

void event_register_name(const struct event_log *log, uint32_t index,
                         char out_name[static EVENT_REGISTER_NAME_SIZE])
{
    if (!log->cc) {
        snprintf(out_name, EVENT_REGISTER_NAME_SIZE, "%u", index);
    } else if (index == 0) {
        snprintf(out_name, EVENT_REGISTER_NAME_SIZE, "MRTD");
    } else {
        snprintf(out_name, EVENT_REGISTER_NAME_SIZE, "RTMR%u", (index - 1) % 1000000);
    }
}
