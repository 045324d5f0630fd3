#include "pki/revocation.h"

#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/err.h>

struct revocation {
    const struct ca *ca;
    X509_CRL *list;
    size_t count;
};

AUTO_DEFINE(AUTHORITY_KEYID, AUTHORITY_KEYID, AUTHORITY_KEYID_free);
AUTO_DEFINE(ASN1_INTEGER, ASN1_INTEGER, ASN1_INTEGER_free);
AUTO_DEFINE(ASN1_ENUMERATED, ASN1_ENUMERATED, ASN1_ENUMERATED_free);
AUTO_DEFINE(ASN1_TIME, ASN1_TIME, ASN1_TIME_free);
AUTO_DEFINE(X509_REVOKED, X509_REVOKED, X509_REVOKED_free);

void revocation_free(struct revocation *list)
{
    if (list) {
        X509_CRL_free(list->list);
        free(list);
    }
}

ERRFN revocation_new(const struct ca *ca, struct revocation **out_list)
{
    AUTO(revocation) list = calloc(1, sizeof *list);
    ENSURE(list, NO_MEMORY);
    list->ca = ca;
    list->list = X509_CRL_new();
    ENSURE(list->list, NO_MEMORY);
    ENSURE(X509_CRL_set_version(list->list, X509_CRL_VERSION_2) == 1, CRYPTO);
    ENSURE(X509_CRL_set_issuer_name(list->list, X509_get_subject_name(ca->certificate)) == 1, CRYPTO);
    *out_list = STEAL(list);
    return OK;
}

static bool set_serial(X509_REVOKED *entry, const uint8_t serial[static X509_SERIAL_BYTES])
{
    BIGNUM *number = BN_bin2bn(serial, X509_SERIAL_BYTES, NULL);
    AUTO(ASN1_INTEGER) value = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    BN_free(number);
    return value && X509_REVOKED_set_serialNumber(entry, value) == 1;
}

static bool set_time(X509_REVOKED *entry, uint64_t revoked_ms)
{
    AUTO(ASN1_TIME) time = ASN1_TIME_new();
    return x509_time_set(time, revoked_ms) && X509_REVOKED_set_revocationDate(entry, time) == 1;
}

static bool set_reason(X509_REVOKED *entry, int reason)
{
    AUTO(ASN1_ENUMERATED) value = ASN1_ENUMERATED_new();
    return reason == 0 || (value && ASN1_ENUMERATED_set(value, reason) == 1 &&
                           X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0) == 1);
}

ERRFN revocation_add(struct revocation *list, const uint8_t serial[static X509_SERIAL_BYTES], uint64_t revoked_ms, int reason)
{
    ENSURE(list->count < REVOCATION_ENTRIES_MAX, CERTIFICATE_LIST_LIMIT);
    AUTO(X509_REVOKED) entry = X509_REVOKED_new();
    ENSURE(entry && set_serial(entry, serial) && set_time(entry, revoked_ms) && set_reason(entry, reason), NO_MEMORY);
    ENSURE(X509_CRL_add0_revoked(list->list, entry) == 1, NO_MEMORY);
    entry = NULL;
    list->count++;
    return OK;
}

static bool set_times(X509_CRL *list, uint64_t made_ms, uint64_t next_ms)
{
    AUTO(ASN1_TIME) made = ASN1_TIME_new();
    AUTO(ASN1_TIME) next = ASN1_TIME_new();
    return x509_time_set(made, made_ms) && x509_time_set(next, next_ms) && X509_CRL_set1_lastUpdate(list, made) == 1 &&
           X509_CRL_set1_nextUpdate(list, next) == 1;
}

static bool add_extensions(const struct ca *ca, X509_CRL *list, uint64_t number)
{
    AUTO(AUTHORITY_KEYID) authority = AUTHORITY_KEYID_new();
    AUTO(ASN1_INTEGER) value = ASN1_INTEGER_new();
    if (!authority || !value || ASN1_INTEGER_set_uint64(value, number) != 1) {
        return false;
    }
    authority->keyid = ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(ca->certificate));
    return authority->keyid && X509_CRL_add1_ext_i2d(list, NID_authority_key_identifier, authority, 0, 0) == 1 &&
           X509_CRL_add1_ext_i2d(list, NID_crl_number, value, 0, 0) == 1;
}

ERRFN revocation_finish(struct revocation *r, uint64_t number, uint64_t made_ms, uint64_t next_ms, struct buf *out_der)
{
    ENSURE(set_times(r->list, made_ms, next_ms) && add_extensions(r->ca, r->list, number), CRYPTO);
    ENSURE(X509_CRL_sort(r->list) == 1, CRYPTO);
    TRY(r->ca->key.sign_list(r->ca->key.context, r->list));
    uint8_t *der = NULL;
    int len = i2d_X509_CRL(r->list, &der);
    ERR_clear_error();
    ENSURE(len > 0, CRYPTO);
    err_t put = buf_put(out_der, view_of(der, (size_t)len));
    OPENSSL_free(der);
    return put;
}
