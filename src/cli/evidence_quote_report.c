#include "cli/evidence_quote_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/print.h"
#include "cli/report_json.h"
#include "cli/table.h"

enum { NUMBER_TEXT_SIZE = 24, SENTENCE_SIZE = 256 };

static const struct table_column columns[] = {
    {"Valid", "valid", 0},
    {"Kind", "type", 0},
    {"AK", "key", 0},
    {"AK name", "ak_name", 0},
    {"Signature", "signature_scheme", 0},
    {"Hash", "hash", 0},
    {"PCR digest", "pcr_digest", 0},
    {"Extra data", "extra_data", 0},
    {"Nonce compared", "nonce_checked", 0},
    {"PCRs compared", "pcr_values_checked", 0},
    {"Clock", "clock", 0},
    {"Clock safe", "safe", 0},
    {"Reset count", "reset_count", 0},
    {"Restart count", "restart_count", 0},
    {"Firmware version", "firmware_version", 0},
    {"Qualified signer", "qualified_signer", 0},
};

/* JSON numbers end at 2^63 here; a clock beyond that is no TPM's, but is shown. */
static ERRFN set_clock(json_t *object, uint64_t clock)
{
    char text[NUMBER_TEXT_SIZE];
    snprintf(text, sizeof text, "%" PRIu64, clock);
    return report_set(object, "clock",
                      clock <= INT64_MAX ? json_integer((json_int_t)clock) : json_string(text));
}

static ERRFN set_firmware(json_t *object, uint64_t version)
{
    char text[NUMBER_TEXT_SIZE];
    snprintf(text, sizeof text, "%016" PRIx64, version);
    return report_set_text(object, "firmware_version", text);
}

/* Bank by bank in the TPM's order. */
static ERRFN set_selection(json_t *object, const struct pcr_selection *selection)
{
    AUTO(json) banks = json_object();
    ENSURE(banks, NO_MEMORY);
    for (size_t i = 0; i < selection->count; i++) {
        if (selection->banks[i].mask != 0) {
            TRY(report_set_pcrs(banks, pcr_bank_name(selection->banks[i].bank),
                                selection->banks[i].mask));
        }
    }
    return report_set(object, "selection", STEAL(banks));
}

static const char *scheme_name(uint16_t scheme)
{
    switch (scheme) {
    case TPM_ALG_RSASSA:
        return "RSASSA";
    case TPM_ALG_RSAPSS:
        return "RSAPSS";
    case TPM_ALG_ECDSA:
        return "ECDSA";
    case TPM_ALG_ECDAA:
        return "ECDAA";
    case TPM_ALG_SM2:
        return "SM2";
    case TPM_ALG_ECSCHNORR:
        return "ECSCHNORR";
    case TPM_ALG_HMAC:
        return "HMAC";
    }
    return NULL;
}

/* What a reason can't say by itself, because it is about this quote. */
static void explain(const struct quote_report *report, err_t reason, char *out_text, size_t size)
{
    if (IS_E(reason, QUOTE_TYPE) && report->tpm12) {
        snprintf(out_text, size,
                 "It is the quote of a TPM 1.2 (TPM_QUOTE_INFO); only TPM 2.0 is "
                 "accepted.");
    } else if (IS_E(reason, QUOTE_TYPE) && report->quote) {
        const char *name = quote_type_name(report->quote->type);
        snprintf(out_text, size, "It is no quote but a %s (type 0x%04x).",
                 name ? name : "structure of unknown type", report->quote->type);
    } else if (IS_E(reason, QUOTE_SELECTION)) {
        snprintf(out_text, size, "The quote selects no PCR.");
    } else if (IS_E(reason, PCR_VALUES_INVALID)) {
        snprintf(out_text, size, "The value of a quoted PCR is not among those given.");
    } else if (IS_E(reason, EVENT_LOG_REPLAY) && !report->replay->compared) {
        snprintf(out_text, size,
                 "The quoted PCR values are not those of the event log alone; give them "
                 "with --pcrs to see which differ.");
    } else {
        snprintf(out_text, size, "%s", err_text(reason));
    }
}

static ERRFN set_reasons(json_t *object, const struct quote_report *report)
{
    AUTO(json) words = json_array();
    AUTO(json) sentences = json_array();
    for (size_t i = 0; i < report->count; i++) {
        char text[SENTENCE_SIZE];
        explain(report, report->reasons[i], text, sizeof text);
        ENSURE(json_array_append_new(words, json_string(err_reason(report->reasons[i]))) == 0 &&
                   json_array_append_new(sentences, json_string(text)) == 0,
               NO_MEMORY);
    }
    TRY(report_set(object, "valid", json_boolean(report->count == 0)));
    TRY(report_set(object, "reasons", STEAL(words)));
    return report_set(object, "explanations", STEAL(sentences));
}

static ERRFN set_quote(json_t *object, const struct quote *quote)
{
    TRY(set_selection(object, &quote->selection));
    TRY(report_set_hex(object, "pcr_digest", quote->pcr_digest));
    TRY(report_set_hex(object, "extra_data", quote->extra_data));
    TRY(set_clock(object, quote->clock));
    TRY(report_set(object, "reset_count", json_integer(quote->reset_count)));
    TRY(report_set(object, "restart_count", json_integer(quote->restart_count)));
    TRY(set_firmware(object, quote->firmware_version));
    TRY(report_set(object, "safe", json_boolean(quote->clock_safe)));
    TRY(report_set_text(object, "type", quote_type_name(quote->type)));
    return report_set_hex(object, "qualified_signer", quote->qualified_signer);
}

static ERRFN set_no_quote(json_t *object)
{
    static const char *const fields[] = {"selection",   "pcr_digest",    "extra_data",      "clock",
                                         "reset_count", "restart_count", "firmware_version"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        TRY(report_set_text(object, fields[i], NULL));
    }
    return OK;
}

static ERRFN set_event_log(json_t *object, const struct evidence_replay *replay)
{
    AUTO(json) said = NULL;
    if (replay) {
        TRY(evidence_replay_json(replay, &said));
    }
    return report_set(object, "event_log", said ? STEAL(said) : json_null());
}

static ERRFN make(const struct quote_report *report, json_t **out_object)
{
    AUTO(json) object = json_object();
    ENSURE(object, NO_MEMORY);
    TRY(set_reasons(object, report));
    TRY(report->quote ? set_quote(object, report->quote) : set_no_quote(object));
    TRY(report_set_text(object, "signature_scheme", scheme_name(report->scheme)));
    TRY(report_set_text(object, "hash", pcr_bank_name(report->hash_alg)));
    TRY(report_set_text(object, "key", report->key ? tpm_key_name(report->key->type) : NULL));
    if (report->key && report->key->name_len > 0) {
        TRY(report_set_hex(object, "ak_name", view_of(report->key->name, report->key->name_len)));
    }
    TRY(report_set(object, "nonce_checked", json_boolean(report->nonce_checked)));
    TRY(report_set(object, "pcr_values_checked", json_boolean(report->values_checked)));
    TRY(set_event_log(object, report->replay));
    *out_object = STEAL(object);
    return OK;
}

static void print_selection(const json_t *banks)
{
    const char *bank;
    json_t *pcrs;
    json_object_foreach((json_t *)(uintptr_t)banks, bank, pcrs)
    {
        printf("PCRs              %s:", bank);
        report_print_pcrs(pcrs);
        puts("");
    }
}

static void print_reasons(const json_t *object)
{
    const json_t *words = json_object_get(object, "reasons");
    const json_t *sentences = json_object_get(object, "explanations");
    for (size_t i = 0; i < json_array_size(words); i++) {
        printf("Reason            %s [%s]\n", json_string_value(json_array_get(sentences, i)),
               json_string_value(json_array_get(words, i)));
    }
}

ERRFN quote_report_print(const struct quote_report *report, enum output_format format)
{
    AUTO(json) object = NULL;
    TRY(make(report, &object));
    if (format == OUTPUT_JSON) {
        return print_json(object);
    }
    table_print_object(stdout, columns, sizeof columns / sizeof columns[0], object);
    print_selection(json_object_get(object, "selection"));
    evidence_replay_print(json_object_get(object, "event_log"));
    print_reasons(object);
    return OK;
}
