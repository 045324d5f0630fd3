/* What is read of an X.509 certificate for the EK's facts and for trust alike, without OpenSSL's
 * cache of extensions: that gives up on all of them when one is malformed. */
#ifndef ITL_TPM_CERTIFICATE_H
#define ITL_TPM_CERTIFICATE_H

#include "base/bytes.h"

#include <openssl/types.h>

/* Whether the certificate has an extension, by OpenSSL's number for it. */
bool certificate_has(const X509 *cert, int nid);

/* The KU_ bits of keyUsage. False when there is none, or one that can't be read. */
bool certificate_key_usage(const X509 *cert, uint32_t *out_usage);

/* RFC 5280 section 4.2: a critical extension that is not understood refuses the certificate, and
 * none may occur twice. Key identifiers, access information and alternative names of the issuer
 * are to be non-critical; they ask nothing of who verifies, so that one that is critical all the
 * same changes nothing. */
bool certificate_extensions_understood(const X509 *cert);

/* Milliseconds since 1970, 0 for a time before. Reads what X.680 allows beyond the two forms of
 * RFC 5280: a time without seconds, with a fraction, with an offset. False for anything else. */
bool certificate_time(const ASN1_TIME *time, uint64_t *out_ms);

#endif
