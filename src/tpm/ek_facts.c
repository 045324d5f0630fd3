#include "tpm/ek_facts.h"

#include "base/text.h"
#include "tpm/certificate.h"

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

/* 99991231235959Z, RFC 5280 section 4.1.2.5: no well-defined end. */
static const uint64_t no_expiry_ms = 253402300799000;

enum { OID_TEXT_MAX = 128, NAME_ENTRIES_MAX = 64 };

bool ek_facts_oid_is(const ASN1_OBJECT *oid, const char *dotted)
{
    char text[OID_TEXT_MAX];
    int len = OBJ_obj2txt(text, sizeof text, oid, 1);
    return len > 0 && len < OID_TEXT_MAX && strcmp(text, dotted) == 0;
}

static ERRFN read_serial(const ASN1_INTEGER *serial, char out_text[static EK_SERIAL_TEXT_SIZE])
{
    int len = ASN1_STRING_length(serial);
    ENSURE(len > 0 && len <= EK_SERIAL_MAX_BYTES, EK_UNREADABLE);
    bool negative = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER;
    out_text[0] = '-';
    hex_encode(view_of(ASN1_STRING_get0_data(serial), (size_t)len), out_text + negative);
    return OK;
}

/* A value that does not fit or is not clean text stays empty. Some end in a NUL of the C string
 * that they were. */
static void read_value(const X509_NAME_ENTRY *entry, char *out_text, size_t size)
{
    uint8_t *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
    if (len < 0) {
        return;
    }
    while (len > 0 && utf8[len - 1] == '\0') {
        len--;
    }
    struct view value = view_of(utf8, (size_t)len);
    if (text_is_clean(value)) {
        IGNORE_ERR(view_to_text(value, out_text, size));
    }
    OPENSSL_free(utf8);
}

static void read_tpm_name(struct ek *ek, const X509_NAME *name)
{
    for (int i = 0; i < X509_NAME_entry_count(name) && i < NAME_ENTRIES_MAX; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_OBJECT *oid = X509_NAME_ENTRY_get_object(entry);
        if (ek_facts_oid_is(oid, OID_TPM_MANUFACTURER)) {
            read_value(entry, ek->manufacturer, sizeof ek->manufacturer);
        } else if (ek_facts_oid_is(oid, OID_TPM_MODEL)) {
            read_value(entry, ek->model, sizeof ek->model);
        } else if (ek_facts_oid_is(oid, OID_TPM_VERSION)) {
            read_value(entry, ek->version, sizeof ek->version);
        }
    }
}

/* The TPM's own name is a directoryName in the subjectAltName, EK Credential Profile section
 * 3.2.9. */
static void read_san(struct ek *ek)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(ek->x509, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && i < NAME_ENTRIES_MAX; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DIRNAME) {
            read_tpm_name(ek, name->d.directoryName);
        }
    }
    GENERAL_NAMES_free(names);
    if (!ek->manufacturer[0] || !ek->model[0] || !ek->version[0]) {
        ek->quirks |= EK_QUIRK_NO_TPM_SAN;
    }
}

/* DER wants the members of a SET OF in ascending order of their encodings (X.690 section 11.6). */
static bool members_unsorted(const X509_NAME_ENTRY *first, const X509_NAME_ENTRY *second)
{
    uint8_t *a = NULL;
    uint8_t *b = NULL;
    int a_len = i2d_X509_NAME_ENTRY(first, &a);
    int b_len = i2d_X509_NAME_ENTRY(second, &b);
    bool unsorted = false;
    if (a_len > 0 && b_len > 0) {
        int order = memcmp(a, b, (size_t)(a_len < b_len ? a_len : b_len));
        unsorted = order > 0 || (order == 0 && a_len > b_len);
    }
    OPENSSL_free(a);
    OPENSSL_free(b);
    return unsorted;
}

static bool name_unsorted(const X509_NAME *name)
{
    for (int i = 1; i < X509_NAME_entry_count(name) && i < NAME_ENTRIES_MAX; i++) {
        const X509_NAME_ENTRY *first = X509_NAME_get_entry(name, i - 1);
        const X509_NAME_ENTRY *second = X509_NAME_get_entry(name, i);
        if (X509_NAME_ENTRY_set(first) == X509_NAME_ENTRY_set(second) &&
            members_unsorted(first, second)) {
            return true;
        }
    }
    return false;
}

/* What a vendor says of the key's use where the profile says something else. */
static void read_usage_quirks(struct ek *ek)
{
    uint32_t usage = 0;
    bool rsa = tpm_key_is_rsa((enum tpm_key)ek->key_type);
    if (!certificate_has(ek->x509, NID_key_usage)) {
        ek->quirks |= EK_QUIRK_NO_KEY_USAGE;
    } else if (ek->key_type != EK_KEY_NONE && certificate_key_usage(ek->x509, &usage)) {
        bool agreement = usage & KU_KEY_AGREEMENT;
        bool encipherment = usage & KU_KEY_ENCIPHERMENT;
        ek->quirks |= !rsa && encipherment && !agreement ? EK_QUIRK_ECC_ENCIPHERMENT : 0;
        ek->quirks |= rsa && agreement && !encipherment ? EK_QUIRK_RSA_AGREEMENT : 0;
    }
}

static void read_quirks(struct ek *ek)
{
    if (name_unsorted(X509_get_issuer_name(ek->x509)) ||
        name_unsorted(X509_get_subject_name(ek->x509))) {
        ek->quirks |= EK_QUIRK_UNSORTED_NAME;
    }
    if (ek->valid_until_ms == no_expiry_ms) {
        ek->quirks |= EK_QUIRK_NO_EXPIRY;
    }
    if (!certificate_has(ek->x509, NID_ext_key_usage)) {
        ek->quirks |= EK_QUIRK_NO_PURPOSE;
    }
    read_usage_quirks(ek);
}

ERRFN ek_facts_read(struct ek *ek)
{
    ENSURE(certificate_time(X509_get0_notBefore(ek->x509), &ek->valid_from_ms), EK_UNREADABLE);
    ENSURE(certificate_time(X509_get0_notAfter(ek->x509), &ek->valid_until_ms), EK_UNREADABLE);
    TRY(read_serial(X509_get0_serialNumber(ek->x509), ek->serial));
    read_san(ek);
    ek_specification_read(ek);
    read_quirks(ek);
    return OK;
}

const char *ek_quirk_name(enum ek_quirk quirk)
{
    switch (quirk) {
    case EK_QUIRK_PADDED:
        return "padded certificate";
    case EK_QUIRK_TCG_HEADER:
        return "TCG header before the certificate";
    case EK_QUIRK_OCTET_STRING:
        return "certificate inside an OCTET STRING";
    case EK_QUIRK_SECOND_CERT:
        return "more than one certificate";
    case EK_QUIRK_RSAES_OAEP:
        return "key under id-RSAES-OAEP";
    case EK_QUIRK_UNSORTED_NAME:
        return "unsorted name";
    case EK_QUIRK_NO_TPM_SAN:
        return "no TPM attributes in a subjectAltName";
    case EK_QUIRK_NO_EXPIRY:
        return "no expiry";
    case EK_QUIRK_NO_PURPOSE:
        return "no extendedKeyUsage";
    case EK_QUIRK_NO_KEY_USAGE:
        return "no keyUsage";
    case EK_QUIRK_ECC_ENCIPHERMENT:
        return "keyEncipherment with an ECC key";
    case EK_QUIRK_RSA_AGREEMENT:
        return "keyAgreement with an RSA key";
    }
    return NULL;
}
