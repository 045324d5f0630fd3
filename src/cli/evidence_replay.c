#include "cli/evidence_replay.h"

#include <stdio.h>
#include <string.h>

#include "cli/report_json.h"

/* The quote's digest is in the AK's hash, which its length tells. */
static uint16_t digest_alg(const struct quote *quote)
{
    static const uint16_t banks[] = {TPM_ALG_SHA256, TPM_ALG_SHA384, TPM_ALG_SHA512};
    for (size_t i = 0; i < sizeof banks / sizeof banks[0]; i++) {
        if (pcr_bank_digest_size(banks[i]) == quote->pcr_digest.len) {
            return banks[i];
        }
    }
    return TPM_ALG_NONE;
}

/* Whether these are the values that were quoted. */
static ERRFN make_up(const struct quote *quote, const struct pcr_values *values, bool *out_equal)
{
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    size_t len;
    err_t made = pcr_values_digest(values, &quote->selection, digest_alg(quote), digest, &len);
    if (IS_E(made, QUOTE_HASH) || IS_E(made, PCR_VALUES_INVALID)) {
        *out_equal = false;
        return OK;
    }
    TRY(made);
    *out_equal = view_equal(view_of(digest, len), quote->pcr_digest);
    return OK;
}

static ERRFN take_selected(const struct pcr_values *given, const struct quote *quote,
                           struct pcr_values *out_values)
{
    *out_values = (struct pcr_values){0};
    for (size_t i = 0; i < given->count; i++) {
        for (size_t j = 0; j < quote->selection.count; j++) {
            const struct pcr_bank_selection *bank = &quote->selection.banks[j];
            if (bank->bank == given->value[i].bank && (bank->mask >> given->value[i].index & 1)) {
                out_values->value[out_values->count++] = given->value[i];
            }
        }
    }
    return OK;
}

static bool explains(const struct event_check *check)
{
    bool one_replays = false;
    for (size_t i = 0; i < check->count; i++) {
        const struct event_check_bank *bank = &check->banks[i];
        uint32_t unexplained = bank->differs | (bank->not_in_log & EVENT_FIRMWARE_PCRS);
        if (unexplained & ~bank->capped) {
            return false;
        }
        one_replays = one_replays || unexplained == 0;
    }
    return one_replays;
}

ERRFN evidence_replay_check(const struct event_log *log, const struct event_replay *replay,
                            const struct quote *quote, const struct pcr_values *values,
                            struct evidence_replay *out_result)
{
    struct pcr_values quoted;
    *out_result = (struct evidence_replay){0};
    TRY(values ? take_selected(values, quote, &quoted)
               : event_replay_values(replay, &quote->selection, &quoted));
    TRY(make_up(quote, &quoted, &out_result->compared));
    if (out_result->compared) {
        TRY(event_check(log, &quoted, &out_result->check));
        out_result->explained = explains(&out_result->check);
    }
    return OK;
}

ERRFN evidence_replay_json(const struct evidence_replay *result, json_t **out_object)
{
    AUTO(json) object = json_object();
    AUTO(json) banks = result->compared ? json_object() : json_null();
    ENSURE(object && banks, NO_MEMORY);
    for (size_t i = 0; i < result->check.count; i++) {
        const struct event_check_bank *bank = &result->check.banks[i];
        AUTO(json) said = json_object();
        ENSURE(said, NO_MEMORY);
        TRY(report_set_pcrs(said, "replays", bank->replays));
        TRY(report_set_pcrs(said, "differs", bank->differs));
        TRY(report_set_pcrs(said, "not_in_log", bank->not_in_log));
        TRY(report_set_pcrs(said, "capped", bank->capped));
        TRY(report_set(banks, pcr_bank_name(bank->bank), STEAL(said)));
    }
    TRY(report_set(object, "replays", json_boolean(result->explained)));
    TRY(report_set(object, "banks", STEAL(banks)));
    *out_object = STEAL(object);
    return OK;
}

void evidence_replay_print(const json_t *object)
{
    static const struct {
        const char *field;
        const char *text;
    } parts[] = {{"replays", "replays"},
                 {"differs", "differs"},
                 {"not_in_log", "not in the log"},
                 {"capped", "capped, not to be trusted"}};
    const char *bank;
    json_t *said;
    json_object_foreach(json_object_get(object, "banks"), bank, said)
    {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            const json_t *pcrs = json_object_get(said, parts[i].field);
            if (json_array_size(pcrs) > 0) {
                printf("Event log         %s: PCR ", bank);
                report_print_pcrs(pcrs);
                printf(" %s\n", parts[i].text);
            }
        }
    }
}
