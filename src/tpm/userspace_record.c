#include "tpm/userspace_record.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

/* systemd's event types. A kind is only shown: claims look at what was measured. */
static const char *const kinds[] = {"phase",      "filesystem",    "volume-key", "machine-id",
                                    "product-id", "keyslot",       "nvpcr-init", "nvpcr-separator",
                                    "dm-verity",  "imds-userdata", "login",      "os-separator"};

static const char *kind_of(const char *text)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i], text) == 0) {
            return kinds[i];
        }
    }
    return "unknown";
}

/* "" for a field that is not there or no text. */
static const char *text_of(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

/* A PCR, or the NV index in its place; PCRs that don't exist are counted with the firmware's. */
static const char *read_register(const json_t *object, struct userspace_record *record)
{
    const json_t *pcr = json_object_get(object, "pcr");
    const json_t *nv = json_object_get(object, "nv_index");
    if ((pcr == NULL) == (nv == NULL)) {
        return "a record names no PCR and no NV index, or both";
    }
    json_int_t number = json_integer_value(pcr ? pcr : nv);
    if (!json_is_integer(pcr ? pcr : nv) || number < 0 || number > UINT32_MAX) {
        return "a record's PCR or NV index is not a number that one can have";
    }
    record->nv = nv != NULL;
    record->pcr = (uint32_t)number;
    return NULL;
}

static const struct event_bank *bank_named(const char *name)
{
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        if (strcasecmp(event_banks[i].name, name) == 0) {
            return &event_banks[i];
        }
    }
    return NULL;
}

static const char *put_digest(const struct event_bank *bank, const char *hex, struct buf *digests)
{
    uint8_t bytes[TPM_DIGEST_MAX_BYTES];
    if (strlen(hex) != 2U * bank->size || !IS_OK(hex_decode(view_text(hex), bytes, bank->size))) {
        return "a record's digest is not one of its algorithm, in hexadecimal";
    }
    const uint8_t alg[2] = {(uint8_t)bank->alg, (uint8_t)(bank->alg >> 8)};
    bool fits = IS_OK(buf_put(digests, view_of(alg, sizeof alg))) &&
                IS_OK(buf_put(digests, view_of(bytes, bank->size)));
    return fits ? NULL : "a record has more digests than its text has room for";
}

/* TPML_DIGEST_VALUES of CEL-JSON; algorithms that are not known here are left out. */
static const char *read_digests(const json_t *object, struct buf *digests)
{
    const json_t *list = json_object_get(object, "digests");
    uint32_t seen = 0;
    if (!json_is_array(list) || json_array_size(list) > EVENT_LOG_ALGORITHMS_MAX) {
        return "a record has no list of digests, or more than there are algorithms";
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *digest = json_array_get(list, i);
        const struct event_bank *bank = bank_named(text_of(digest, "hashAlg"));
        if (!bank) {
            continue;
        }
        if (seen & event_bank_bit(bank->alg)) {
            return "a record has two digests of one algorithm";
        }
        seen |= event_bank_bit(bank->alg);
        const char *wrong = put_digest(bank, text_of(digest, "digest"), digests);
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

const char *userspace_record_read(const json_t *object, struct userspace_record *out_record,
                                  struct buf *digests)
{
    const json_t *content = json_object_get(object, "content");
    bool ours = strcmp(text_of(object, "content_type"), "systemd") == 0;
    struct userspace_record record = {.kind = "unknown", .text = "", .boot = ""};
    const char *wrong = read_register(object, &record);
    if (wrong) {
        return wrong;
    }
    if (ours) {
        record.kind = kind_of(text_of(content, "eventType"));
        record.text = text_of(content, "string");
        record.boot = text_of(content, "bootId");
    }
    *out_record = record;
    return record.nv ? NULL : read_digests(object, digests);
}
