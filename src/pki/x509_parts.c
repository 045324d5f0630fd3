#include "pki/x509_parts.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/random.h"
#include "crypto/digest.h"

AUTO_DEFINE(AUTHORITY_KEYID, AUTHORITY_KEYID, AUTHORITY_KEYID_free);
AUTO_DEFINE(CRL_DIST_POINTS, CRL_DIST_POINTS, CRL_DIST_POINTS_free);

bool x509_name_add(X509_NAME *name, const char *field, const char *value)
{
    return value[0] == '\0' ||
           X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) == 1;
}

bool x509_serial_set(X509 *certificate, uint8_t out_serial[static X509_SERIAL_BYTES])
{
    random_bytes(out_serial, X509_SERIAL_BYTES);
    out_serial[0] = (uint8_t)((out_serial[0] & 0x7f) | 0x40); /* positive, and always 16 bytes */
    BIGNUM *number = BN_bin2bn(out_serial, X509_SERIAL_BYTES, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

AUTO_DEFINE(X509_ALGOR, X509_ALGOR, X509_ALGOR_free);
AUTO_DEFINE(ASN1_BIT_STRING, ASN1_BIT_STRING, ASN1_BIT_STRING_free);

/* The two parts of a SubjectPublicKeyInfo, exactly consumed. */
static bool read_spki(struct view spki, X509_ALGOR **out_algorithm, ASN1_BIT_STRING **out_key)
{
    const uint8_t *at = spki.data;
    const uint8_t *end = spki.data + spki.len;
    long len = 0;
    int tag = 0;
    int class = 0;
    if (ASN1_get_object(&at, &len, &tag, &class, (long)spki.len) != V_ASN1_CONSTRUCTED || tag != V_ASN1_SEQUENCE ||
        at + len != end || !d2i_X509_ALGOR(out_algorithm, &at, end - at)) {
        return false;
    }
    return d2i_ASN1_BIT_STRING(out_key, &at, end - at) && at == end;
}

bool x509_key_set(X509 *certificate, struct view spki)
{
    AUTO(X509_ALGOR) algorithm = NULL;
    AUTO(ASN1_BIT_STRING) bits = NULL;
    if (!read_spki(spki, &algorithm, &bits)) {
        return false;
    }
    const ASN1_OBJECT *object;
    int type;
    const void *parameters;
    X509_ALGOR_get0(&object, &type, &parameters, algorithm);
    ASN1_OBJECT *curve = type == V_ASN1_OBJECT ? OBJ_dup(parameters) : NULL;
    uint8_t *key = OPENSSL_memdup(bits->data, (size_t)bits->length);
    bool set = key && (curve || type == V_ASN1_NULL) &&
               X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate), OBJ_dup(object), type, curve, key, bits->length) == 1;
    if (!set) {
        OPENSSL_free(key);
        ASN1_OBJECT_free(curve);
    }
    return set;
}

bool x509_extension_add(X509 *certificate, int nid, const char *value)
{
    AUTO(X509_EXTENSION) extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    return extension && X509_add_ext(certificate, extension, -1) == 1;
}

bool x509_key_identifier_add(X509 *certificate)
{
    uint8_t digest[SHA256_BYTES];
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(certificate);
    AUTO(ASN1_OCTET_STRING) id = ASN1_OCTET_STRING_new();
    return id && bits && IS_OK(sha256(view_of(bits->data, (size_t)bits->length), digest)) &&
           ASN1_OCTET_STRING_set(id, digest, X509_KEY_ID_BYTES) == 1 &&
           X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0, 0) == 1;
}

bool x509_authority_add(X509 *certificate, const X509 *issuer)
{
    const ASN1_OCTET_STRING *subject_id = X509_get0_subject_key_id((X509 *)(uintptr_t)issuer);
    AUTO(AUTHORITY_KEYID) authority = AUTHORITY_KEYID_new();
    if (!subject_id || !authority) {
        return false;
    }
    authority->keyid = ASN1_OCTET_STRING_dup(subject_id);
    return authority->keyid &&
           X509_add1_ext_i2d(certificate, NID_authority_key_identifier, authority, 0, 0) == 1;
}

/* One URI, as a list of names. */
static GENERAL_NAMES *uri_names(const char *uri)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    if (names && name && value && ASN1_STRING_set(value, uri, (int)strlen(uri)) == 1) {
        GENERAL_NAME_set0_value(name, GEN_URI, value);
        if (sk_GENERAL_NAME_push(names, name) > 0) {
            return names;
        }
        value = NULL;
    }
    ASN1_IA5STRING_free(value);
    GENERAL_NAME_free(name);
    GENERAL_NAMES_free(names);
    return NULL;
}

bool x509_uri_add(X509 *certificate, const char *uri)
{
    AUTO(GENERAL_NAMES) names = uri_names(uri);
    return names && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
}

bool x509_distribution_point_add(X509 *certificate, const char *uri)
{
    AUTO(CRL_DIST_POINTS) points = CRL_DIST_POINTS_new();
    DIST_POINT *point = DIST_POINT_new();
    if (!points || !point || sk_DIST_POINT_push(points, point) <= 0) {
        DIST_POINT_free(point);
        return false;
    }
    point->distpoint = DIST_POINT_NAME_new();
    if (!point->distpoint) {
        return false;
    }
    point->distpoint->type = 0; /* fullName */
    point->distpoint->name.fullname = uri_names(uri);
    return point->distpoint->name.fullname &&
           X509_add1_ext_i2d(certificate, NID_crl_distribution_points, points, 0, 0) == 1;
}

bool x509_time_set(ASN1_TIME *time, uint64_t utc_ms)
{
    return time && ASN1_TIME_set(time, (time_t)(utc_ms / 1000)) != NULL;
}

ERRFN x509_time_get(const ASN1_TIME *time, uint64_t *out_utc_ms)
{
    struct tm tm;
    ENSURE(time && ASN1_TIME_to_tm(time, &tm) == 1, CERTIFICATE_INVALID);
    time_t seconds = timegm(&tm);
    ENSURE(seconds >= 0, CERTIFICATE_INVALID);
    *out_utc_ms = (uint64_t)seconds * 1000;
    return OK;
}

X509 *x509_first_of_pem(struct view pem)
{
    AUTO(BIO) bio = pem.len > 0 && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    ERR_clear_error();
    return certificate;
}

ERRFN x509_put_pem(X509 *certificate, struct buf *out_pem)
{
    AUTO(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    ENSURE(bio, NO_MEMORY);
    ENSURE(PEM_write_bio_X509(bio, certificate) == 1, CRYPTO);
    long len = BIO_get_mem_data(bio, &text);
    ENSURE(len > 0, CRYPTO);
    return buf_put(out_pem, view_of(text, (size_t)len));
}

ERRFN x509_put_der(X509 *certificate, struct buf *out_der)
{
    uint8_t *der = NULL;
    int len = i2d_X509(certificate, &der);
    ENSURE(len > 0, CRYPTO);
    err_t put = buf_put(out_der, view_of(der, (size_t)len));
    OPENSSL_free(der);
    return put;
}
