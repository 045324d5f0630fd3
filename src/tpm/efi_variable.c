#include "tpm/efi_variable.h"

#include "crypto/digest.h"
#include "tpm/der.h"
#include "tpm/device_path.h"
#include "tpm/little_endian.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

AUTO_DEFINE(x509_name, X509_NAME, X509_NAME_free);
AUTO_DEFINE(text_bio, BIO, BIO_free_all);

enum { SUBJECT_MAX_BYTES = 4096 }; /* those of vendors take 150 */

/* A number of this many bytes. */
static bool take_length(struct view *v, size_t width, uint64_t *out_length)
{
    uint32_t narrow;
    if (width == sizeof *out_length) {
        return le_take_u64(v, out_length);
    }
    if (!le_take_u32(v, &narrow)) {
        return false;
    }
    *out_length = narrow;
    return true;
}

static bool parse_variable(struct view event_data, size_t width, struct efi_variable *out_variable)
{
    struct efi_variable variable;
    struct view v = event_data;
    uint64_t name_chars;
    uint64_t data_bytes;
    if (!le_take_bytes(&v, EVENT_GUID_BYTES, &variable.guid) ||
        !take_length(&v, width, &name_chars) || !take_length(&v, width, &data_bytes) ||
        name_chars > v.len / 2 || !le_take_bytes(&v, name_chars * 2, &variable.name) ||
        !le_take_bytes(&v, data_bytes, &variable.data)) {
        return false;
    }
    variable.end = event_data.len - v.len;
    *out_variable = variable;
    return true;
}

bool efi_variable_parse(struct view event_data, struct efi_variable *out_variable)
{
    struct efi_variable narrow;
    if (parse_variable(event_data, sizeof(uint64_t), out_variable)) {
        return true;
    }
    if (!parse_variable(event_data, sizeof(uint32_t), &narrow) || narrow.end != event_data.len) {
        return false;
    }
    *out_variable = narrow;
    return true;
}

bool efi_variable_is(const struct efi_variable *variable, const char *name)
{
    struct view got = event_text_trim_utf16(variable->name);
    if (got.len != strlen(name) * 2) {
        return false;
    }
    for (size_t i = 0; i < got.len; i += 2) {
        if (got.data[i] != (uint8_t)name[i / 2] || got.data[i + 1] != 0) {
            return false;
        }
    }
    return true;
}

struct efi_signatures efi_signatures_of(struct view database)
{
    return (struct efi_signatures){.rest = database};
}

/* EFI_SIGNATURE_LIST's header; its entries become the present ones. */
static bool next_list(struct efi_signatures *s)
{
    enum { LIST_HEADER_BYTES = 28 };
    struct view v = s->rest;
    struct view type;
    struct view header;
    uint32_t list_size;
    uint32_t header_size;
    if (!le_take_bytes(&v, EVENT_GUID_BYTES, &type) || !le_take_u32(&v, &list_size) ||
        !le_take_u32(&v, &header_size) || !le_take_u32(&v, &s->entry_size) ||
        list_size < LIST_HEADER_BYTES || s->entry_size <= EVENT_GUID_BYTES ||
        !le_take_bytes(&v, list_size - LIST_HEADER_BYTES, &s->entries) ||
        !le_take_bytes(&s->entries, header_size, &header)) {
        return false;
    }
    s->type = type.data;
    s->rest = v;
    return true;
}

bool efi_signatures_next(struct efi_signatures *s, struct efi_signature *out_signature)
{
    while (s->entries.len == 0 && s->rest.len > 0 && !s->broken) {
        if (!next_list(s)) {
            s->rest = event_text_trim(s->rest);
            s->broken = s->rest.len > 0;
        }
    }
    struct efi_signature signature = {.type = s->type};
    struct view entry;
    if (s->broken || s->entries.len == 0) {
        return false;
    }
    if (!le_take_bytes(&s->entries, s->entry_size, &entry) ||
        !le_take_bytes(&entry, EVENT_GUID_BYTES, &signature.owner)) {
        s->broken = true;
        return false;
    }
    signature.data = entry;
    *out_signature = signature;
    return true;
}

/* How an entry is written: its bytes as they are, or their SHA-256. UEFI 2.10 section 32.4.1. */
static const struct signature_type {
    const char *guid;
    const char *prefix;
    uint8_t hash_bytes; /* 0: the entry is hashed */
} signature_types[] = {
    {"a5c059a1-94e4-4aa7-87b5-ab155c2bf072", "x509:sha256:", 0},
    {"c1c41626-504c-4092-aca9-41f936934328", "sha256:", 32},
    {"826ca512-cf10-4ac9-b187-be01496631bd", "sha1:", 20},
    {"0b6e5233-a65c-44c9-9407-d9ab83bfc8bd", "sha224:", 28},
    {"ff3e5307-9fd0-48c9-85f1-8ad56c701e01", "sha384:", 48},
    {"093e0fae-a6c4-4f50-9f1b-d41e2b89c19a", "sha512:", 64},
    {"3bd2a492-96c0-4079-b420-fcf98ef103ed", "x509_tbs_sha256:", 32},
    {"7076876e-80c2-4ee6-aad2-28b349a6865b", "x509_tbs_sha384:", 48},
    {"446dbf63-2502-4cda-bcfa-2465d2b0fe9d", "x509_tbs_sha512:", 64},
    {"3c5766e8-269c-4e34-aa14-ed776e85b3b6", "rsa2048:sha256:", 0},
    {"e2b36190-879b-4a3d-ad8d-f2e7bba32784", "rsa2048_sha256:sha256:", 0},
    {"67f8444f-8743-48f1-a328-1eaab8736080", "rsa2048_sha1:sha256:", 0},
    {"4aafd29d-68df-49ee-8aa9-347d375665a7", "pkcs7:sha256:", 0},
};

static const struct signature_type *type_of(const uint8_t *guid)
{
    char text[EVENT_GUID_TEXT_SIZE];
    event_guid_text(guid, text);
    for (size_t i = 0; i < sizeof signature_types / sizeof signature_types[0]; i++) {
        if (strcmp(signature_types[i].guid, text) == 0) {
            return &signature_types[i];
        }
    }
    return NULL;
}

bool efi_signature_is_certificate(const struct efi_signature *signature)
{
    return type_of(signature->type) == &signature_types[0];
}

ERRFN efi_signature_put(struct event_text *t, const struct efi_signature *signature)
{
    const struct signature_type *type = type_of(signature->type);
    if (type) {
        event_text_put(t, type->prefix);
    } else {
        event_text_put_guid(t, signature->type);
        event_text_put(t, ":sha256:");
    }
    if (type && type->hash_bytes > 0 && signature->data.len >= type->hash_bytes) {
        event_text_put_hex(t, view_of(signature->data.data, type->hash_bytes));
        return OK;
    }
    uint8_t digest[SHA256_BYTES];
    TRY(sha256(signature->data, digest));
    event_text_put_hex(t, view_of(digest, sizeof digest));
    return OK;
}

/* TBSCertificate as far as its subject (RFC 5280 section 4.1). OpenSSL would read the key as well,
 * which takes it ten times as long as everything else that is done with a log. */
static bool find_subject(struct view der, struct view *out_name)
{
    enum { DER_CONTEXT_0 = 0xA0 };
    struct view skipped;
    struct view certificate;
    struct view v;
    if (!der_take_content(&der, DER_SEQUENCE, &certificate) ||
        !der_take_content(&certificate, DER_SEQUENCE, &v)) {
        return false;
    }
    (void)der_take_content(&v, DER_CONTEXT_0, &skipped); /* version; absent in version 1 */
    return der_take_content(&v, DER_INTEGER, &skipped) &&
           der_take_content(&v, DER_SEQUENCE, &skipped) &&
           der_take_content(&v, DER_SEQUENCE, &skipped) &&
           der_take_content(&v, DER_SEQUENCE, &skipped) &&
           der_take(&v, DER_SEQUENCE, out_name, &skipped);
}

bool efi_certificate_put_subject(struct event_text *t, struct view der)
{
    struct view subject;
    if (!find_subject(der, &subject) || subject.len > SUBJECT_MAX_BYTES) {
        return false;
    }
    const unsigned char *at = subject.data;
    AUTO(x509_name) name = d2i_X509_NAME(NULL, &at, (long)subject.len);
    AUTO(text_bio) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool named = name && bio &&
                 X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0;
    ERR_clear_error(); /* what firmware stores need not parse */
    if (!named) {
        return false;
    }
    long len = BIO_get_mem_data(bio, &text);
    event_text_put_utf8(t, view_of(text, len > 0 ? (size_t)len : 0));
    return true;
}

static struct view take_utf16_text(struct view *v)
{
    struct view text = view_of(v->data, 0);
    uint16_t unit;
    while (le_take_u16(v, &unit) && unit != 0) {
        text.len += 2;
    }
    return text;
}

bool efi_load_option_put(struct event_text *t, struct view option)
{
    static const uint32_t active = 1;
    uint32_t attributes;
    uint16_t path_bytes;
    struct view path;
    struct view v = option;
    if (!le_take_u32(&v, &attributes) || !le_take_u16(&v, &path_bytes)) {
        return false;
    }
    struct view description = take_utf16_text(&v);
    if (!le_take_bytes(&v, path_bytes, &path)) {
        return false;
    }
    event_text_put(t, attributes & active ? "" : "(inactive) ");
    event_text_put_utf16(t, description);
    event_text_put(t, " ");
    device_path_put(t, path);
    return true;
}

static bool path_behind(struct view data, size_t width, struct view *out_path)
{
    struct view skipped;
    uint64_t length;
    return le_take_bytes(&data, sizeof length + 2 * width, &skipped) &&
           take_length(&data, width, &length) && le_take_bytes(&data, length, out_path);
}

bool efi_image_load_path(struct view event_data, struct view *out_path)
{
    return path_behind(event_data, sizeof(uint64_t), out_path) ||
           path_behind(event_data, sizeof(uint32_t), out_path);
}
