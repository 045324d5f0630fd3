#include "provision/certificate.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "pki/x509_parts.h"

enum { SECONDS_PER_DAY = 86400, ADDRESS_MAX_BYTES = 16 };

static bool fill_name(X509_NAME *name, const struct config_ca *subject, const char *common_name)
{
    return x509_name_add(name, "C", subject->country) &&
           x509_name_add(name, "O", subject->organization) &&
           x509_name_add(name, "CN", common_name);
}

/* Everything but the extensions; issuer is subject. */
static ERRFN begin(struct hsm_provider *p, EVP_PKEY *key, const struct config_ca *subject,
                   const char *common_name, int days, X509 **out_certificate)
{
    uint8_t serial[X509_SERIAL_BYTES];
    AUTO(X509) certificate = X509_new_ex(hsm_provider_context(p), NULL);
    ENSURE(certificate, NO_MEMORY);
    X509_NAME *name = X509_get_subject_name(certificate);
    bool filled = X509_set_version(certificate, X509_VERSION_3) == 1 &&
                  x509_serial_set(certificate, serial) && fill_name(name, subject, common_name) &&
                  X509_set_issuer_name(certificate, name) == 1 &&
                  X509_gmtime_adj(X509_getm_notBefore(certificate), -CERTIFICATE_BACKDATE_S) &&
                  X509_gmtime_adj(X509_getm_notAfter(certificate), (long)days * SECONDS_PER_DAY) &&
                  X509_set_pubkey(certificate, key) == 1 && x509_key_identifier_add(certificate);
    ENSURE(filled, CRYPTO);
    *out_certificate = STEAL(certificate);
    return OK;
}

ERRFN certificate_make_ca(struct hsm_provider *p, EVP_PKEY *key, const struct config_ca *subject,
                          struct buf *out_pem)
{
    AUTO(X509) certificate = NULL;
    TRY(begin(p, key, subject, subject->common_name, CERTIFICATE_CA_DAYS, &certificate));
    ENSURE(x509_extension_add(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
           CRYPTO);
    ENSURE(x509_extension_add(certificate, NID_key_usage,
                              "critical,digitalSignature,keyCertSign,cRLSign"),
           CRYPTO);
    TRY(hsm_provider_sign_certificate(p, key, certificate));
    return x509_put_pem(certificate, out_pem);
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
    ENSURE(x509_extension_add(certificate, NID_basic_constraints, "critical,CA:FALSE"), CRYPTO);
    ENSURE(x509_extension_add(certificate, NID_key_usage, server_key_usage), CRYPTO);
    ENSURE(x509_extension_add(certificate, NID_ext_key_usage, "serverAuth"), CRYPTO);
    ENSURE(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1, CRYPTO);
    TRY(hsm_provider_sign_certificate(p, key, certificate));
    return x509_put_pem(certificate, out_pem);
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
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    ENSURE(len > 0, CRYPTO);
    return buf_put(out_pem, view_of(text, (size_t)len));
}
