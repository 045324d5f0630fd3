#include "tpm/event_check.h"

#include "tpm/event_replay.h"

#include <openssl/evp.h>
#include <string.h>

AUTO_DEFINE(md_ctx, EVP_MD_CTX, EVP_MD_CTX_free);

enum { EVENT_PHASES = 6, PHASES_PCR = 11 };

/* PCRs that systemd 261 closes with a word of its own before it asks for secrets: what firmware and
 * loaders measure into, but 8, 10 and 11. */
enum { OS_SEPARATOR_PCRS = 0x72FF };

static struct event_check_bank *check_bank(struct event_check *check, uint16_t alg)
{
    for (size_t i = 0; i < check->count; i++) {
        if (check->banks[i].bank == alg) {
            return &check->banks[i];
        }
    }
    if (check->count == PCR_BANKS_MAX) {
        return NULL;
    }
    check->banks[check->count].bank = alg;
    return &check->banks[check->count++];
}

/* A value being tried, in a bank. */
struct trial {
    EVP_MD_CTX *ctx;
    const struct event_bank *bank;
    const struct pcr_value *quoted;
    uint8_t value[TPM_DIGEST_MAX_BYTES];
};

static bool matches(const struct trial *t)
{
    return memcmp(t->value, t->quoted->digest, t->bank->size) == 0;
}

static ERRFN is_capped(struct trial *t, const uint8_t *said, bool *out_capped)
{
    static const uint8_t zeros[TPM_DIGEST_MAX_BYTES];
    memcpy(t->value, said, t->bank->size);
    TRY(event_replay_extend(t->ctx, t->value, view_of(zeros, t->bank->size)));
    *out_capped = matches(t);
    return OK;
}

static ERRFN extend_word(struct trial *t, const char *word)
{
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    ENSURE(EVP_DigestInit_ex2(t->ctx, NULL, NULL) == 1, CRYPTO);
    ENSURE(EVP_DigestUpdate(t->ctx, word, strlen(word)) == 1, CRYPTO);
    ENSURE(EVP_DigestFinal_ex(t->ctx, digest, NULL) == 1, CRYPTO);
    return event_replay_extend(t->ctx, t->value, view_of(digest, t->bank->size));
}

/* The words that systemd, and Talos in its place, measure one after the other. */
static ERRFN is_phased(struct trial *t, const uint8_t *said, bool *out_phased)
{
    static const char *const words[2][EVENT_PHASES] = {
        {"enter-initrd", "leave-initrd", "sysinit", "ready", "shutdown", "final"},
        {"enter-initrd", "leave-initrd", "enter-machined", "start-the-world", NULL, NULL}};
    *out_phased = false;
    for (size_t system = 0; system < 2; system++) {
        memcpy(t->value, said, t->bank->size);
        for (size_t i = 0; i < EVENT_PHASES && words[system][i] && !*out_phased; i++) {
            TRY(extend_word(t, words[system][i]));
            *out_phased = matches(t);
        }
    }
    return OK;
}

static ERRFN is_separated(struct trial *t, const uint8_t *said, bool *out_separated)
{
    memcpy(t->value, said, t->bank->size);
    TRY(extend_word(t, "os-separator"));
    *out_separated = matches(t);
    return OK;
}

/* How else the value may follow from what the log says. */
static ERRFN explain(const struct pcr_value *quoted, const uint8_t *said, bool in_bank,
                     struct event_check_bank *result)
{
    AUTO(md_ctx) ctx = EVP_MD_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    struct trial t = {.ctx = ctx, .bank = event_bank_of(quoted->bank), .quoted = quoted};
    ENSURE(EVP_DigestInit_ex2(ctx, t.bank->md(), NULL) == 1, CRYPTO);
    bool capped = false;
    bool phased = false;
    TRY(is_capped(&t, said, &capped));
    if (in_bank && quoted->index == PHASES_PCR) {
        TRY(is_phased(&t, said, &phased));
    } else if (in_bank && (OS_SEPARATOR_PCRS >> quoted->index & 1)) {
        TRY(is_separated(&t, said, &phased));
    }
    result->capped |= capped ? 1U << quoted->index : 0;
    result->phased |= phased ? 1U << quoted->index : 0;
    return OK;
}

static ERRFN check_value(const struct event_replay *replay, const struct pcr_value *quoted,
                         struct event_check *check)
{
    const struct event_replay_bank *bank = event_replay_find(replay, quoted->bank);
    struct event_check_bank *result = bank ? check_bank(check, quoted->bank) : NULL;
    ENSURE(result && quoted->index < PCR_COUNT && quoted->len == pcr_bank_digest_size(quoted->bank),
           BUG);
    uint32_t bit = 1U << quoted->index;
    const uint8_t *said = bank->value[quoted->index];
    bool unexplained =
        (bank->incomplete & bit) && !(bank->mask & bit); /* its events say nothing in this bank */
    if (!unexplained && memcmp(said, quoted->digest, quoted->len) == 0) {
        result->replays |= bit;
        return OK;
    }
    TRY(explain(quoted, said, !unexplained, result));
    if (result->phased & bit) {
        result->replays |= bit;
        return OK;
    }
    if (bank->mask & bit) {
        result->differs |= bit;
    } else {
        result->not_in_log |= bit;
    }
    return OK;
}

ERRFN event_check(const struct event_log *log, const struct pcr_values *quoted,
                  struct event_check *out_check)
{
    struct event_replay replay;
    struct event_check check = {0};
    TRY(event_replay(log, &replay));
    if (log->cc) {
        memset(&replay, 0, sizeof replay);
        for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
            replay.banks[i].incomplete = UINT32_MAX;
        }
    }
    for (size_t i = 0; i < quoted->count; i++) {
        TRY(check_value(&replay, &quoted->value[i], &check));
    }
    *out_check = check;
    return OK;
}

bool event_check_passes(const struct event_check *check, uint32_t required)
{
    for (size_t i = 0; i < check->count; i++) {
        if (check->banks[i].differs || (check->banks[i].not_in_log & required)) {
            return false;
        }
    }
    return check->count > 0;
}
