#include "cli/evidence_ek_report.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/evidence_problems.h"
#include "cli/print.h"
#include "cli/report_json.h"
#include "cli/table.h"
#include "cli/tpm_vendor.h"

#include <openssl/x509.h>

enum { VENDOR_TEXT_SIZE = EK_ATTRIBUTE_SIZE + 64 };

static const struct table_column columns[] = {
    {"Manufacturer", "manufacturer", 0},
    {"Model", "model", 0},
    {"Version", "version", 0},
    {"TPM family", "family", 0},
    {"Serial number", "serial_number", 0},
    {"Key", "key", 0},
    {"Public hash", "public_hash", 0},
    {"Fingerprint", "fingerprint", 0},
    {"Subject", "subject", 0},
    {"Issuer", "issuer", 0},
    {"Valid from", "valid_from", 0},
    {"Valid until", "valid_until", 0},
    {"Chain", "chain", 0},
    {"Trust anchor", "anchor", 0},
};

/* -- one EK as JSON ---------------------------------------------------------------------------- */

/* What a certificate does not say is null. */
static ERRFN set_if_any(json_t *object, const char *key, const char *text)
{
    return report_set_text(object, key, text[0] ? text : NULL);
}

static const char *chain_name(enum trust_chain chain)
{
    switch (chain) {
    case TRUST_CHAIN_TRUSTED:
        return "trusted";
    case TRUST_CHAIN_INVALID:
        return "invalid";
    case TRUST_CHAIN_NONE:
    case TRUST_CHAIN_UNTRUSTED:
        return "untrusted";
    }
    return "untrusted";
}

static ERRFN set_name(json_t *object, const char *key, const X509_NAME *name)
{
    char text[TRUST_NAME_SIZE] = "";
    if (X509_NAME_entry_count(name) > 0) {
        X509_NAME_oneline(name, text, sizeof text);
    }
    return set_if_any(object, key, text);
}

static ERRFN set_time(json_t *object, const char *key, uint64_t utc_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(utc_ms, text);
    return report_set_text(object, key, text);
}

static ERRFN set_quirks(json_t *object, const struct ek *ek)
{
    AUTO(json) list = json_array();
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        const char *name = ek->quirks & bit ? ek_quirk_name((enum ek_quirk)bit) : NULL;
        if (name) {
            ENSURE(json_array_append_new(list, json_string(name)) == 0, NO_MEMORY);
        }
    }
    return report_set(object, "quirks", STEAL(list));
}

static ERRFN set_attributes(json_t *object, const struct ek *ek)
{
    bool known = ek->key_type != EK_KEY_NONE;
    TRY(set_if_any(object, "manufacturer", ek->manufacturer));
    TRY(set_if_any(object, "model", ek->model));
    TRY(set_if_any(object, "version", ek->version));
    TRY(set_if_any(object, "serial_number", ek->serial));
    TRY(report_set_hex(object, "public_hash", view_of(ek->spki_sha256, SHA256_BYTES)));
    TRY(report_set_hex(object, "fingerprint", view_of(ek->spki_sha384, SHA384_BYTES)));
    return report_set_text(object, "key", known ? ek_key_name(ek->key_type) : "unsupported");
}

static ERRFN set_certificate(json_t *object, const struct ek *ek)
{
    if (!ek->x509) {
        return report_set_text(object, "source", "public_key");
    }
    TRY(report_set_text(object, "source", "certificate"));
    TRY(report_set_hex(object, "certificate_sha256", view_of(ek->cert_sha256, SHA256_BYTES)));
    TRY(set_name(object, "subject", X509_get_subject_name(ek->x509)));
    TRY(set_name(object, "issuer", X509_get_issuer_name(ek->x509)));
    TRY(set_time(object, "valid_from", ek->valid_from_ms));
    TRY(set_time(object, "valid_until", ek->valid_until_ms));
    TRY(set_if_any(object, "family", ek->family));
    if (ek->family[0]) {
        TRY(report_set(object, "level", json_integer(ek->level)));
        TRY(report_set(object, "revision", json_integer(ek->revision)));
    }
    return set_quirks(object, ek);
}

static ERRFN describe(const struct ek *ek, err_t area, const struct trust *trust, uint64_t now_ms,
                      json_t **out_object)
{
    struct trust_verdict verdict;
    TRY(trust_evaluate(trust, ek, ek->chain, ek->chain_count, now_ms, &verdict));
    AUTO(json) problems = json_array();
    AUTO(json) object = json_object();
    ENSURE(problems && object, NO_MEMORY);
    if (!IS_OK(area)) {
        TRY(evidence_problem_add(problems, err_reason(area), err_text(area)));
    }
    TRY(evidence_problems_add(problems, ek, &verdict));
    TRY(set_attributes(object, ek));
    TRY(report_set_text(object, "chain", chain_name(verdict.chain)));
    TRY(set_if_any(object, "anchor", verdict.anchor));
    TRY(report_set(object, "problems", STEAL(problems)));
    TRY(report_set(object, "expired", json_boolean(verdict.expired)));
    TRY(set_certificate(object, ek));
    *out_object = STEAL(object);
    return OK;
}

ERRFN ek_report_make(const struct ek_evidence *evidence, const struct trust *trust, uint64_t now_ms,
                     json_t **out_object)
{
    AUTO(json) object = NULL;
    AUTO(json) also = json_array();
    TRY(describe(evidence->ek[0], evidence->area, trust, now_ms, &object));
    for (size_t i = 1; i < evidence->count; i++) {
        json_t *further;
        TRY(describe(evidence->ek[i], OK, trust, now_ms, &further));
        ENSURE(json_array_append_new(also, further) == 0, NO_MEMORY);
    }
    TRY(report_set(object, "also", STEAL(also)));
    *out_object = STEAL(object);
    return OK;
}

/* What is known for what it is, and is no EK material: all fields are there, and empty. */
ERRFN ek_report_make_other(const char *word, const char *sentence, json_t **out_object)
{
    static const char *const empty[] = {"manufacturer", "model",       "version", "serial_number",
                                        "public_hash",  "fingerprint", "key"};
    AUTO(json) problems = json_array();
    AUTO(json) object = json_object();
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        TRY(report_set_text(object, empty[i], NULL));
    }
    TRY(evidence_problem_add(problems, word, sentence));
    TRY(report_set_text(object, "chain", "invalid"));
    TRY(report_set_text(object, "anchor", NULL));
    TRY(report_set(object, "problems", STEAL(problems)));
    *out_object = STEAL(object);
    return OK;
}

/* -- printing ---------------------------------------------------------------------------------- */

static void print_list(const char *title, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        printf("%s  %s\n", title, json_string_value(json_array_get(list, i)));
    }
}

/* The table says the manufacturer in words too. */
static ERRFN print_one(const json_t *object)
{
    AUTO(json) shown = json_copy((json_t *)(uintptr_t)object);
    ENSURE(shown, NO_MEMORY);
    const char *id = json_string_value(json_object_get(object, "manufacturer"));
    const char *name = id ? tpm_vendor_name(id) : NULL;
    if (name) {
        char text[VENDOR_TEXT_SIZE];
        snprintf(text, sizeof text, "%s (%s)", name, id);
        TRY(report_set_text(shown, "manufacturer", text));
    }
    table_print_object(stdout, columns, sizeof columns / sizeof columns[0], shown);
    print_list("Quirk        ", json_object_get(object, "quirks"));
    print_list("Problem      ", json_object_get(object, "problems"));
    return OK;
}

ERRFN ek_report_print(const json_t *object, enum output_format format)
{
    if (format == OUTPUT_JSON) {
        return print_json(object);
    }
    TRY(print_one(object));
    const json_t *also = json_object_get(object, "also");
    for (size_t i = 0; i < json_array_size(also); i++) {
        puts("");
        TRY(print_one(json_array_get(also, i)));
    }
    return OK;
}
