#include "tpm/certificate.h"

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

enum { EXTENSIONS_MAX = 64 };

bool certificate_has(const X509 *cert, int nid)
{
    return X509_get_ext_by_NID(cert, nid, -1) >= 0;
}

bool certificate_key_usage(const X509 *cert, uint32_t *out_usage)
{
    ASN1_BIT_STRING *bits = X509_get_ext_d2i(cert, NID_key_usage, NULL, NULL);
    if (!bits) {
        return false;
    }
    const uint8_t *data = ASN1_STRING_get0_data(bits);
    int len = ASN1_STRING_length(bits);
    uint32_t usage = len > 0 ? data[0] : 0;
    if (len > 1) {
        usage |= (uint32_t)data[1] << 8;
    }
    ASN1_BIT_STRING_free(bits);
    *out_usage = usage;
    return true;
}

static bool understood(X509_EXTENSION *extension)
{
    static const int nids[] = {NID_subject_directory_attributes, NID_subject_key_identifier,
                               NID_authority_key_identifier, NID_issuer_alt_name, NID_info_access};
    int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    for (size_t i = 0; i < sizeof nids / sizeof nids[0]; i++) {
        if (nids[i] == nid) {
            return true;
        }
    }
    return X509_supported_extension(extension) == 1;
}

bool certificate_extensions_understood(const X509 *cert)
{
    int count = X509_get_ext_count(cert);
    if (count > EXTENSIONS_MAX) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        X509_EXTENSION *extension = X509_get_ext(cert, i);
        if (X509_get_ext_by_OBJ(cert, X509_EXTENSION_get_object(extension), i) >= 0 ||
            (X509_EXTENSION_get_critical(extension) && !understood(extension))) {
            return false;
        }
    }
    return true;
}

bool certificate_time(const ASN1_TIME *time, uint64_t *out_ms)
{
    struct tm parts;
    if (!time || ASN1_TIME_to_tm(time, &parts) != 1) {
        return false;
    }
    time_t seconds = timegm(&parts);
    *out_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
    return true;
}
