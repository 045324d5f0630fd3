#include "tpm/trust_rules.h"

#include "tpm/certificate.h"
#include "tpm/ek_facts.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, EC_BITS_MIN = 256, CURVE_NAME_SIZE = 80 };

/* A machine may be taken into use minutes after its (virtual) TPM was made, and clocks differ. */
static const uint64_t clock_skew_ms = 5 * 60 * 1000;

/* GCE instance identity: Google's newer EK certificates name the instance there and carry no
 * purpose. */
#define OID_GCE_INSTANCE "1.3.6.1.4.1.11129.2.1.21"

AUTO_DEFINE(name_constraints, NAME_CONSTRAINTS, NAME_CONSTRAINTS_free);

bool trust_rules_names(const X509 *cert, const X509 *issuer)
{
    return X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0;
}

static bool strong_hash(const X509 *cert)
{
    int hash = NID_undef;
    if (X509_get_signature_info((X509 *)cert, &hash, NULL, NULL, NULL) != 1) {
        return false;
    }
    return hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512;
}

/* A curve of known name, also where its parameters are spelled out; one with parameters of its own
 * can be made to verify anything (CVE-2020-0601). */
static bool strong_curve(const EVP_PKEY *key)
{
    char name[CURVE_NAME_SIZE];
    return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) >= EC_BITS_MIN &&
           EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1;
}

static bool strong_key(const EVP_PKEY *key)
{
    bool rsa = EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
    return rsa ? EVP_PKEY_get_bits(key) >= RSA_BITS_MIN : strong_curve(key);
}

enum trust_finding trust_rules_signature(X509 *cert, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    if (!key || !strong_key(key)) {
        return TRUST_FINDING_ISSUER_KEY;
    }
    if (!strong_hash(cert)) {
        return TRUST_FINDING_WEAK_SIGNATURE;
    }
    return X509_verify(cert, key) == 1 ? TRUST_FINDING_NONE : TRUST_FINDING_SIGNATURE;
}

/* X509_check_ca's words for "version 1 and self-signed" and "no basicConstraints, but may sign
 * certificates". */
enum { CA_BY_VERSION_1 = 3, CA_BY_KEY_USAGE = 4 };

/* Versions 1 and 2 have no extensions to say that somebody below the root is a CA. */
static bool is_ca(X509 *cert, bool root)
{
    uint32_t flags = X509_get_extension_flags(cert);
    uint32_t usage = 0;
    if ((flags & EXFLAG_INVALID) || (!root && X509_get_version(cert) != X509_VERSION_3)) {
        return false;
    }
    if (!(flags & EXFLAG_CA)) {
        int kind = X509_check_ca(cert);
        return root && (kind == CA_BY_VERSION_1 || kind == CA_BY_KEY_USAGE);
    }
    return !certificate_has(cert, NID_key_usage) ||
           (certificate_key_usage(cert, &usage) && (usage & KU_KEY_CERT_SIGN));
}

static bool valid_at(const X509 *cert, uint64_t ms)
{
    uint64_t from;
    uint64_t until;
    return certificate_time(X509_get0_notBefore(cert), &from) &&
           certificate_time(X509_get0_notAfter(cert), &until) && from <= ms && ms <= until;
}

static bool path_allowed(X509 *issuer, size_t below)
{
    long limit = X509_get_pathlen(issuer);
    return limit < 0 || below <= (size_t)limit;
}

bool trust_rules_constraints(X509 *issuer, X509 *below)
{
    if (!certificate_has(issuer, NID_name_constraints)) {
        return true;
    }
    AUTO(name_constraints) constraints = X509_get_ext_d2i(issuer, NID_name_constraints, NULL, NULL);
    return constraints && NAME_CONSTRAINTS_check(below, constraints) == X509_V_OK;
}

enum trust_finding trust_rules_issuer(X509 *issuer, bool root, size_t below,
                                      const struct trust_times *times)
{
    if (!is_ca(issuer, root)) {
        return TRUST_FINDING_ISSUER_NOT_CA;
    }
    if (!certificate_extensions_understood(issuer)) {
        return TRUST_FINDING_ISSUER_EXTENSION;
    }
    if (!valid_at(issuer, times->issued_ms) && !valid_at(issuer, times->now_ms)) {
        return TRUST_FINDING_ISSUER_NOT_VALID;
    }
    return path_allowed(issuer, below) ? TRUST_FINDING_NONE : TRUST_FINDING_PATH_LENGTH;
}

/* EK Credential Profile section 3.2.6: keyEncipherment for RSA, keyAgreement for ECC. Intel writes
 * keyEncipherment for ECC too, Microsoft's Pluton keyAgreement for RSA. A key that may sign is an
 * AK's or a web server's, whatever else its certificate says. */
static bool key_usage_allowed(const struct ek *ek)
{
    static const uint32_t wanted = KU_KEY_AGREEMENT | KU_KEY_ENCIPHERMENT;
    static const uint32_t signing =
        KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    uint32_t usage = 0;
    if (!certificate_has(ek->x509, NID_key_usage)) {
        return true;
    }
    return certificate_key_usage(ek->x509, &usage) && (usage & wanted) && !(usage & signing);
}

static bool has_ek_purpose(const X509 *cert)
{
    EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    bool found = false;
    for (int i = 0; purposes && i < sk_ASN1_OBJECT_num(purposes); i++) {
        found |= ek_facts_oid_is(sk_ASN1_OBJECT_value(purposes, i), OID_EK_CERTIFICATE);
    }
    EXTENDED_KEY_USAGE_free(purposes);
    return found;
}

static bool is_gce_instance(const X509 *cert)
{
    for (int i = 0; i < X509_get_ext_count(cert); i++) {
        if (ek_facts_oid_is(X509_EXTENSION_get_object(X509_get_ext(cert, i)), OID_GCE_INSTANCE)) {
            return true;
        }
    }
    return false;
}

/* Something must say that this is an EK: the purpose or, where the certificate has no purposes at
 * all, the TPM's name or a known vendor's mark. Otherwise any certificate under the same root would
 * pass. */
static bool purpose_allowed(const struct ek *ek)
{
    if (certificate_has(ek->x509, NID_ext_key_usage)) {
        return has_ek_purpose(ek->x509);
    }
    return !(ek->quirks & EK_QUIRK_NO_TPM_SAN) || is_gce_instance(ek->x509);
}

/* A TPM 1.2 is another machine altogether: SHA-1 only, no quote that is read here. */
static bool is_tpm12(const struct ek *ek)
{
    return strncmp(ek->family, "1.", 2) == 0;
}

uint32_t trust_rules_ek(const struct ek *ek, uint64_t now_ms)
{
    uint32_t flags = X509_get_extension_flags(ek->x509);
    const struct {
        bool wrong;
        enum trust_finding finding;
    } rules[] = {
        {(flags & EXFLAG_CA) || X509_check_ca(ek->x509) != 0, TRUST_FINDING_EK_IS_CA},
        {(flags & EXFLAG_INVALID) || !certificate_extensions_understood(ek->x509),
         TRUST_FINDING_EK_EXTENSION},
        {X509_get_version(ek->x509) != X509_VERSION_3, TRUST_FINDING_EK_VERSION},
        {ek->valid_until_ms < ek->valid_from_ms, TRUST_FINDING_EK_VALIDITY},
        {ek->valid_from_ms > now_ms + clock_skew_ms, TRUST_FINDING_EK_NOT_YET_VALID},
        {is_tpm12(ek), TRUST_FINDING_EK_TPM12},
        {ek->key_type == EK_KEY_NONE, TRUST_FINDING_EK_KEY},
        {!key_usage_allowed(ek), TRUST_FINDING_EK_KEY_USAGE},
        {!purpose_allowed(ek), TRUST_FINDING_EK_PURPOSE},
    };
    uint32_t findings = 0;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        findings |= rules[i].wrong ? 1U << rules[i].finding : 0;
    }
    return findings;
}
