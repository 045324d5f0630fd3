#include "tpm/event_check.h"

#include "tpm/event_replay.h"

#include <openssl/evp.h>
#include <string.h>

AUTO_DEFINE(md_ctx, EVP_MD_CTX, EVP_MD_CTX_free);

/* PCRs that systemd 261 closes with a word of its own before it asks for secrets: what firmware and
 * loaders measure into, but 8, 10 and 11. */
enum { OS_SEPARATOR_PCRS = 0x72FF, ENDING_WORDS_MAX = 6 };

#define INVOKED  "Exit Boot Services Invocation"
#define RETURNED "Exit Boot Services Returned with Success"
#define FAILED   "Exit Boot Services Returned with Failure"

/* What is measured, word by word, when the firmware's log has ended: the phases of systemd, and of
 * Talos in its place; the firmware's last words, which kernels without the final events table never
 * see; systemd's separator. */
static const struct ending {
    uint32_t pcrs;
    const char *words[ENDING_WORDS_MAX];
} endings[] = {
    {1U << 11, {"enter-initrd", "leave-initrd", "sysinit", "ready", "shutdown", "final"}},
    {1U << 11, {"enter-initrd", "leave-initrd", "enter-machined", "start-the-world"}},
    {OS_SEPARATOR_PCRS, {"os-separator"}},
    {1U << 5, {INVOKED, RETURNED, "os-separator"}},
    {1U << 5, {INVOKED, FAILED, "os-separator"}},
    {1U << 5, {INVOKED, FAILED, RETURNED, "os-separator"}},
    {1U << 5, {INVOKED, FAILED, INVOKED, RETURNED, "os-separator"}},
};

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

/* What the log says, with and without userspace's part. */
struct said {
    const struct event_log *log;
    struct event_replay whole;
    struct event_replay firmware;
};

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

/* Whether the value is the quoted one when userspace's part of the log follows; the trial's value
 * stays. */
static ERRFN matches_with_userspace(struct trial *t, const struct event_log *log, bool *out_matches)
{
    uint8_t kept[TPM_DIGEST_MAX_BYTES];
    memcpy(kept, t->value, sizeof kept);
    for (size_t i = log->count - log->userspace_count; i < log->count; i++) {
        struct view digest = event_log_digest(log, &log->events[i], t->bank->alg);
        if (log->events[i].pcr == t->quoted->index && digest.len > 0) {
            TRY(event_replay_extend(t->ctx, t->value, digest));
        }
    }
    *out_matches = matches(t);
    memcpy(t->value, kept, sizeof kept);
    return OK;
}

/* The words stand behind all that the log says, or before what userspace says. */
static ERRFN is_ending(struct trial *t, const struct said *said, const struct ending *ending,
                       bool before_userspace, bool *out_is)
{
    const struct event_replay *replay = before_userspace ? &said->firmware : &said->whole;
    const struct event_replay_bank *bank = event_replay_find(replay, t->bank->alg);
    memcpy(t->value, bank->value[t->quoted->index], t->bank->size);
    *out_is = false;
    for (size_t i = 0; i < ENDING_WORDS_MAX && ending->words[i] && !*out_is; i++) {
        TRY(extend_word(t, ending->words[i]));
        *out_is = matches(t);
        if (before_userspace) {
            TRY(matches_with_userspace(t, said->log, out_is));
        }
    }
    return OK;
}

static ERRFN is_ended(struct trial *t, const struct said *said, bool *out_ended)
{
    *out_ended = false;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0] && !*out_ended; i++) {
        if (!(endings[i].pcrs >> t->quoted->index & 1)) {
            continue;
        }
        TRY(is_ending(t, said, &endings[i], false, out_ended));
        if (!*out_ended && said->log->userspace_count > 0) {
            TRY(is_ending(t, said, &endings[i], true, out_ended));
        }
    }
    return OK;
}

/* How else the value may follow from what the log says. */
static ERRFN explain(const struct pcr_value *quoted, const struct said *said, bool in_bank,
                     struct event_check_bank *result)
{
    const struct event_replay_bank *bank = event_replay_find(&said->whole, quoted->bank);
    AUTO(md_ctx) ctx = EVP_MD_CTX_new();
    ENSURE(ctx, NO_MEMORY);
    struct trial t = {.ctx = ctx, .bank = event_bank_of(quoted->bank), .quoted = quoted};
    ENSURE(EVP_DigestInit_ex2(ctx, t.bank->md(), NULL) == 1, CRYPTO);
    bool capped = false;
    bool ended = false;
    TRY(is_capped(&t, bank->value[quoted->index], &capped));
    if (in_bank) {
        TRY(is_ended(&t, said, &ended));
    }
    result->capped |= capped ? 1U << quoted->index : 0;
    result->ended |= ended ? 1U << quoted->index : 0;
    return OK;
}

static ERRFN check_value(const struct said *said, const struct pcr_value *quoted,
                         struct event_check *check)
{
    const struct event_replay_bank *bank = event_replay_find(&said->whole, quoted->bank);
    struct event_check_bank *result = bank ? check_bank(check, quoted->bank) : NULL;
    ENSURE(result && quoted->index < PCR_COUNT && quoted->len == pcr_bank_digest_size(quoted->bank),
           BUG);
    uint32_t bit = 1U << quoted->index;
    bool unexplained =
        (bank->incomplete & bit) && !(bank->mask & bit); /* its events say nothing in this bank */
    if (!unexplained && memcmp(bank->value[quoted->index], quoted->digest, quoted->len) == 0) {
        result->replays |= bit;
        return OK;
    }
    TRY(explain(quoted, said, !unexplained, result));
    if (result->ended & bit) {
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

/* No register of a CC log is a PCR. */
static ERRFN read_log(const struct event_log *log, struct said *out_said)
{
    struct event_log firmware = *log;
    firmware.count -= log->userspace_count;
    out_said->log = log;
    TRY(event_replay(&firmware, &out_said->firmware));
    if (log->cc) {
        memset(&out_said->whole, 0, sizeof out_said->whole);
        for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
            out_said->whole.banks[i].incomplete = UINT32_MAX;
        }
        return OK;
    }
    if (log->userspace_count == 0) {
        out_said->whole = out_said->firmware;
        return OK;
    }
    return event_replay(log, &out_said->whole);
}

ERRFN event_check(const struct event_log *log, const struct pcr_values *quoted,
                  struct event_check *out_check)
{
    struct said said;
    struct event_check check = {0};
    TRY(read_log(log, &said));
    for (size_t i = 0; i < quoted->count; i++) {
        TRY(check_value(&said, &quoted->value[i], &check));
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
