/* What one certificate on the way must satisfy. Each function says the first thing that does not
 * hold, TRUST_FINDING_NONE when all does. */
#ifndef ITL_TPM_TRUST_RULES_H
#define ITL_TPM_TRUST_RULES_H

#include "tpm/trust.h"

/* When certificates are looked at: an issuer must have been valid when the EK certificate was
 * issued, or be valid now. */
struct trust_times {
    uint64_t issued_ms;
    uint64_t now_ms;
};

/* The certificate names this issuer. Compared as RFC 5280 section 7.1 says: not by string type,
 * letter case or white space. */
bool trust_rules_names(const X509 *cert, const X509 *issuer);

/* The issuer's key signed the certificate, with a hash and a key that are not weak. */
enum trust_finding trust_rules_signature(X509 *cert, X509 *issuer);

/* The issuer may issue EK certificates or CAs, `below` CA certificates that are not self-issued
 * being between it and the EK. A root that predates the extensions may lack basicConstraints: it is
 * one by the word of who configured it (RFC 5280 section 6.1.1). */
enum trust_finding trust_rules_issuer(X509 *issuer, bool root, size_t below,
                                      const struct trust_times *times);

/* The names of a certificate below the issuer are within the issuer's constraints. */
bool trust_rules_constraints(X509 *issuer, X509 *below);

/* Everything that keeps the certificate from being one for an EK, a bit 1 << enum trust_finding
 * each. */
uint32_t trust_rules_ek(const struct ek *ek, uint64_t now_ms);

#endif
