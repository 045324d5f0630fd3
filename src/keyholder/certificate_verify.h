/* The only thing that the TLS key ever signs. */
#ifndef ITL_KEYHOLDER_CERTIFICATE_VERIFY_H
#define ITL_KEYHOLDER_CERTIFICATE_VERIFY_H

#include "base/bytes.h"

/* 64 spaces, the context string, a zero byte, a SHA-384 transcript hash. */
enum { CERTIFICATE_VERIFY_BYTES = 64 + 33 + 1 + 48 };

/* Whether this is the content of a TLS 1.3 server's CertificateVerify (RFC 8446 section 4.4.3)
 * of a suite with SHA-384, the only one that is offered. Nothing else begins so: no certificate,
 * request, token or TLS 1.2 handshake. Errors: TLS_CONTENT. */
ERRFN certificate_verify_check(struct view content);

#endif
