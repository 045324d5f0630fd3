#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/evidence_ek_read.h"
#include "cli/evidence_file.h"
#include "cli/evidence_folder.h"
#include "cli/evidence_problems.h"
#include "cli/evidence_time.h"
#include "cli/print.h"
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

static ERRFN set(json_t *object, const char *key, json_t *take_value)
{
    ENSURE(json_object_set_new(object, key, take_value) == 0, NO_MEMORY);
    return OK;
}

/* Null for a text that is not there. */
static ERRFN set_text(json_t *object, const char *key, const char *text)
{
    return set(object, key, text && text[0] ? json_string(text) : json_null());
}

static ERRFN set_hex(json_t *object, const char *key, const uint8_t *bytes, size_t len)
{
    char text[HEX_TEXT_SIZE(DIGEST_MAX_BYTES)];
    hex_encode(view_of(bytes, len), text);
    return set_text(object, key, text);
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
    return set_text(object, key, text);
}

static ERRFN set_time(json_t *object, const char *key, uint64_t utc_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(utc_ms, text);
    return set_text(object, key, text);
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
    return set(object, "quirks", STEAL(list));
}

static ERRFN set_attributes(json_t *object, const struct ek *ek)
{
    bool known = ek->key_type != EK_KEY_NONE;
    TRY(set_text(object, "manufacturer", ek->manufacturer));
    TRY(set_text(object, "model", ek->model));
    TRY(set_text(object, "version", ek->version));
    TRY(set_text(object, "serial_number", ek->serial));
    TRY(set_hex(object, "public_hash", ek->spki_sha256, SHA256_BYTES));
    TRY(set_hex(object, "fingerprint", ek->spki_sha384, SHA384_BYTES));
    return set_text(object, "key", known ? ek_key_name(ek->key_type) : "unsupported");
}

static ERRFN set_certificate(json_t *object, const struct ek *ek)
{
    if (!ek->x509) {
        return set_text(object, "source", "public_key");
    }
    TRY(set_text(object, "source", "certificate"));
    TRY(set_hex(object, "certificate_sha256", ek->cert_sha256, SHA256_BYTES));
    TRY(set_name(object, "subject", X509_get_subject_name(ek->x509)));
    TRY(set_name(object, "issuer", X509_get_issuer_name(ek->x509)));
    TRY(set_time(object, "valid_from", ek->valid_from_ms));
    TRY(set_time(object, "valid_until", ek->valid_until_ms));
    TRY(set_text(object, "family", ek->family));
    if (ek->family[0]) {
        TRY(set(object, "level", json_integer(ek->level)));
        TRY(set(object, "revision", json_integer(ek->revision)));
    }
    return set_quirks(object, ek);
}

static ERRFN describe(const struct ek *ek, err_t area, const struct trust *trust, uint64_t now_ms,
                      json_t **out_object)
{
    struct trust_verdict verdict;
    TRY(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
    AUTO(json) problems = json_array();
    AUTO(json) object = json_object();
    ENSURE(problems && object, NO_MEMORY);
    if (!IS_OK(area)) {
        TRY(evidence_problem_add(problems, err_reason(area), err_text(area)));
    }
    TRY(evidence_problems_add(problems, ek, &verdict));
    TRY(set_attributes(object, ek));
    TRY(set_text(object, "chain", chain_name(verdict.chain)));
    TRY(set_text(object, "anchor", verdict.anchor));
    TRY(set(object, "problems", STEAL(problems)));
    TRY(set(object, "expired", json_boolean(verdict.expired)));
    TRY(set_certificate(object, ek));
    *out_object = STEAL(object);
    return OK;
}

static ERRFN describe_all(const struct ek_evidence *evidence, const struct trust *trust,
                          uint64_t now_ms, json_t **out_object)
{
    AUTO(json) object = NULL;
    AUTO(json) also = json_array();
    TRY(describe(evidence->ek[0], evidence->area, trust, now_ms, &object));
    for (size_t i = 1; i < evidence->count; i++) {
        json_t *further;
        TRY(describe(evidence->ek[i], OK, trust, now_ms, &further));
        ENSURE(json_array_append_new(also, further) == 0, NO_MEMORY);
    }
    TRY(set(object, "also", STEAL(also)));
    *out_object = STEAL(object);
    return OK;
}

/* What is known for what it is, and is no EK material: all fields are there, and empty. */
static ERRFN describe_other(const char *word, const char *sentence, json_t **out_object)
{
    static const char *const empty[] = {"manufacturer", "model",       "version", "serial_number",
                                        "public_hash",  "fingerprint", "key"};
    AUTO(json) problems = json_array();
    AUTO(json) object = json_object();
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        TRY(set_text(object, empty[i], NULL));
    }
    TRY(evidence_problem_add(problems, word, sentence));
    TRY(set_text(object, "chain", "invalid"));
    TRY(set_text(object, "anchor", NULL));
    TRY(set(object, "problems", STEAL(problems)));
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
        TRY(set_text(shown, "manufacturer", text));
    }
    table_print_object(stdout, columns, sizeof columns / sizeof columns[0], shown);
    print_list("Quirk        ", json_object_get(object, "quirks"));
    print_list("Problem      ", json_object_get(object, "problems"));
    return OK;
}

static ERRFN print_all(const struct options *options, const json_t *object)
{
    if (options->output == OUTPUT_JSON) {
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

/* -- the command ------------------------------------------------------------------------------- */

static enum exit_status fail(const char *path, err_t e)
{
    fprintf(stderr, "attestation: %s: %s [%s]\n", path, err_text(e), err_reason(e));
    return EXIT_UNREADABLE;
}

static enum exit_status print_verdict(const struct options *options, const json_t *object)
{
    err_t printed = print_all(options, object);
    if (!IS_OK(printed)) {
        return fail("standard output", printed);
    }
    const char *chain = json_string_value(json_object_get(object, "chain"));
    return strcmp(chain, "trusted") == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static enum exit_status refuse(const struct options *options, const char *word,
                               const char *sentence)
{
    AUTO(json) object = NULL;
    err_t described = describe_other(word, sentence, &object);
    if (!IS_OK(described)) {
        return fail("", described);
    }
    fprintf(stderr, "attestation: %s: %s [%s]\n", options->arguments[2], sentence, word);
    return print_verdict(options, object);
}

static enum exit_status report_unreadable(const struct options *options, err_t e,
                                          const struct ek_diagnosis *fault)
{
    if (IS_E(e, EK_KEY_UNSUPPORTED)) {
        return refuse(options, err_reason(e), err_text(e));
    }
    if (fault->relative == EK_RELATIVE_ATTRIBUTE_CERTIFICATE) {
        return refuse(options, "attribute_certificate",
                      "Not an EK certificate: it is an X.509 attribute certificate, as platform "
                      "certificates are; it holds no key.");
    }
    if (!fault->what) {
        return fail(options->arguments[2], e);
    }
    fprintf(stderr, "attestation: %s: at byte %zu: %s. %s [%s]\n", options->arguments[2],
            fault->offset, fault->what, err_text(e), err_reason(e));
    return EXIT_UNREADABLE;
}

static ERRFN load_trust(const struct options *options, struct trust **out_trust)
{
    AUTO(trust) trust = NULL;
    TRY(trust_new(&trust));
    for (int i = 0; i < options->ca_dirs_count; i++) {
        err_t added = evidence_folder_add(trust, options->ca_dirs[i]);
        if (!IS_OK(added)) {
            fprintf(stderr, "attestation: --ca-dir %s: %s [%s]\n", options->ca_dirs[i],
                    err_text(added), err_reason(added));
            return added;
        }
    }
    *out_trust = STEAL(trust);
    return OK;
}

static enum exit_status judge(const struct options *options, struct trust *trust, struct view bytes,
                              uint64_t now_ms)
{
    struct ek_evidence evidence;
    AUTO(json) object = NULL;
    err_t read = ek_evidence_read(bytes, trust, &evidence);
    err_t described = IS_OK(read) ? describe_all(&evidence, trust, now_ms, &object) : OK;
    struct ek_diagnosis fault = evidence.fault;
    ek_evidence_clear(&evidence);
    if (!IS_OK(read)) {
        return report_unreadable(options, read, &fault);
    }
    return IS_OK(described) ? print_verdict(options, object)
                            : fail(options->arguments[2], described);
}

enum exit_status evidence_ek(const struct options *options)
{
    uint64_t now_ms = clock_utc_ms();
    if (options->at && !IS_OK(evidence_time_parse(options->at, &now_ms))) {
        fprintf(stderr, "attestation: --at takes RFC 3339 or YYYY-MM-DD, not %s\n", options->at);
        return EXIT_USAGE;
    }
    AUTO(trust) trust = NULL;
    if (!IS_OK(load_trust(options, &trust))) {
        return EXIT_USAGE;
    }
    AUTO(buf) bytes = NULL;
    err_t read = evidence_file_read(options->arguments[2], "certificate", &bytes);
    return IS_OK(read) ? judge(options, trust, buf_view(bytes), now_ms)
                       : fail(options->arguments[2], read);
}
