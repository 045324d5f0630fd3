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

/* The issuer may issue EK certificates or CAs, `below` CA certificates being between it and the
 * EK. */
enum trust_finding trust_rules_issuer(X509 *issuer, const struct ek *ek, size_t below,
                                      const struct trust_times *times);

/* The certificate is one for an EK. */
enum trust_finding trust_rules_ek(const struct ek *ek, uint64_t now_ms);

#endif
