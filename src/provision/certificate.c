#include "provision/certificate.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/random.h"
#include "crypto/digest.h"

enum { SERIAL_BYTES = 16, KEY_ID_BYTES = 20, SECONDS_PER_DAY = 86400, ADDRESS_MAX_BYTES = 16 };

AUTO_DEFINE(X509, X509, X509_free);
AUTO_DEFINE(X509_REQ, X509_REQ, X509_REQ_free);
AUTO_DEFINE(X509_EXTENSION, X509_EXTENSION, X509_EXTENSION_free);
AUTO_DEFINE(GENERAL_NAMES, GENERAL_NAMES, GENERAL_NAMES_free);
AUTO_DEFINE(ASN1_OCTET_STRING, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free);
AUTO_DEFINE(BIO, BIO, BIO_free_all);

static bool add_name_part(X509_NAME *name, const char *field, const char *value)
{
    return value[0] == '\0' ||
           X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1;
}

static bool fill_name(X509_NAME *name, const struct config_ca *subject, const char *common_name)
{
    return add_name_part(name, "C", subject->country) &&
           add_name_part(name, "O", subject->organization) &&
           add_name_part(name, "CN", common_name);
}

static bool set_serial(X509 *certificate)
{
    uint8_t bytes[SERIAL_BYTES];
    random_bytes(bytes, sizeof bytes);
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* positive, and always 16 bytes long */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    AUTO(X509_EXTENSION) extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    return extension && X509_add_ext(certificate, extension, -1) == 1;
}

/* RFC 7093 section 2, method 1: 160 bits of SHA-256, so that nothing asks for SHA-1. */
static bool add_key_identifier(X509 *certificate)
{
    uint8_t digest[SHA256_BYTES];
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(certificate);
    AUTO(ASN1_OCTET_STRING) id = ASN1_OCTET_STRING_new();
    return id && bits && IS_OK(sha256(view_of(bits->data, (size_t)bits->length), digest)) &&
           ASN1_OCTET_STRING_set(id, digest, KEY_ID_BYTES) == 1 &&
           X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0, 0) == 1;
}

/* Everything but the extensions; issuer is subject. */
static ERRFN begin(struct hsm_provider *p, EVP_PKEY *key, const struct config_ca *subject,
                   const char *common_name, int days, X509 **out_certificate)
{
    AUTO(X509) certificate = X509_new_ex(hsm_provider_context(p), NULL);
    ENSURE(certificate, NO_MEMORY);
    X509_NAME *name = X509_get_subject_name(certificate);
    bool filled = X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
                  fill_name(name, subject, common_name) &&
                  X509_set_issuer_name(certificate, name) == 1 &&
                  X509_gmtime_adj(X509_getm_notBefore(certificate), -CERTIFICATE_BACKDATE_S) &&
                  X509_gmtime_adj(X509_getm_notAfter(certificate), (long)days * SECONDS_PER_DAY) &&
                  X509_set_pubkey(certificate, key) == 1 && add_key_identifier(certificate);
    ENSURE(filled, CRYPTO);
    *out_certificate = STEAL(certificate);
    return OK;
}

static ERRFN take_pem(BIO *bio, struct buf *out_pem)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    ENSURE(len > 0, CRYPTO);
    return buf_put(out_pem, view_of(text, (size_t)len));
}

static ERRFN write_certificate(X509 *certificate, struct buf *out_pem)
{
    AUTO(BIO) bio = BIO_new(BIO_s_mem());
    ENSURE(bio, NO_MEMORY);
    ENSURE(PEM_write_bio_X509(bio, certificate) == 1, CRYPTO);
    return take_pem(bio, out_pem);
}

ERRFN certificate_make_ca(struct hsm_provider *p, EVP_PKEY *key, const struct config_ca *subject,
                          struct buf *out_pem)
{
    AUTO(X509) certificate = NULL;
    TRY(begin(p, key, subject, subject->common_name, CERTIFICATE_CA_DAYS, &certificate));
    ENSURE(add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), CRYPTO);
    ENSURE(
        add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign"),
        CRYPTO);
    TRY(hsm_provider_sign_certificate(p, key, certificate));
    return write_certificate(certificate, out_pem);
}

static size_t parse_address(const char *text, uint8_t out_bytes[static ADDRESS_MAX_BYTES])
{
    if (inet_pton(AF_INET, text, out_bytes) == 1) {
        return 4;
    }
    return inet_pton(AF_INET6, text, out_bytes) == 1 ? 16 : 0;
}

static GENERAL_NAME *general_name(const char *text)
{
    uint8_t address[ADDRESS_MAX_BYTES];
    size_t address_len = parse_address(text, address);
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = ASN1_STRING_type_new(address_len ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    const void *bytes = address_len ? (const void *)address : text;
    int len = (int)(address_len ? address_len : strlen(text));
    if (!name || !value || ASN1_STRING_set(value, bytes, len) != 1) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, address_len ? GEN_IPADD : GEN_DNS, value);
    return name;
}

static ERRFN subject_names(const struct config_listen *listen, GENERAL_NAMES **out_names)
{
    AUTO(GENERAL_NAMES) names = GENERAL_NAMES_new();
    ENSURE(names, NO_MEMORY);
    for (size_t i = 0; i < listen->names_count; i++) {
        GENERAL_NAME *name = general_name(listen->names[i]);
        if (!name || sk_GENERAL_NAME_push(names, name) <= 0) {
            GENERAL_NAME_free(name);
            return E(NO_MEMORY);
        }
    }
    *out_names = STEAL(names);
    return OK;
}

static const char server_common_name[] =
    "ITL Attestation Appliance"; /* clients look at the names, not here */
static const char server_key_usage[] = "critical,digitalSignature";

ERRFN certificate_make_server(struct hsm_provider *p, EVP_PKEY *key, const struct config *config,
                              struct buf *out_pem)
{
    AUTO(GENERAL_NAMES) names = NULL;
    AUTO(X509) certificate = NULL;
    TRY(subject_names(&config->listen, &names));
    TRY(begin(p, key, &config->ca, server_common_name, CERTIFICATE_TLS_DAYS, &certificate));
    ENSURE(add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE"), CRYPTO);
    ENSURE(add_extension(certificate, NID_key_usage, server_key_usage), CRYPTO);
    ENSURE(add_extension(certificate, NID_ext_key_usage, "serverAuth"), CRYPTO);
    ENSURE(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1, CRYPTO);
    TRY(hsm_provider_sign_certificate(p, key, certificate));
    return write_certificate(certificate, out_pem);
}

static ERRFN add_request_extensions(X509_REQ *request, GENERAL_NAMES *names)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, server_key_usage);
    bool added =
        usage && X509v3_add_ext(&extensions, usage, -1) &&
        X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1 &&
        X509_REQ_add_extensions(request, extensions) == 1;
    X509_EXTENSION_free(usage);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ENSURE(added, CRYPTO);
    return OK;
}

ERRFN certificate_make_request(struct hsm_provider *p, EVP_PKEY *key, const struct config *config,
                               struct buf *out_pem)
{
    AUTO(GENERAL_NAMES) names = NULL;
    TRY(subject_names(&config->listen, &names));
    AUTO(X509_REQ) request = X509_REQ_new_ex(hsm_provider_context(p), NULL);
    ENSURE(request, NO_MEMORY);
    ENSURE(fill_name(X509_REQ_get_subject_name(request), &config->ca, server_common_name), CRYPTO);
    ENSURE(X509_REQ_set_pubkey(request, key) == 1, CRYPTO);
    TRY(add_request_extensions(request, names));
    TRY(hsm_provider_sign_request(p, key, request));

    AUTO(BIO) bio = BIO_new(BIO_s_mem());
    ENSURE(bio, NO_MEMORY);
    ENSURE(PEM_write_bio_X509_REQ(bio, request) == 1, CRYPTO);
    return take_pem(bio, out_pem);
}
