/* Makes certificate revocation lists, version 2 (RFC 5280 section 5). */
#ifndef ITL_PKI_REVOCATION_H
#define ITL_PKI_REVOCATION_H

#include "pki/ca.h"
#include "pki/x509_parts.h"

enum {
    REVOCATION_ENTRIES_MAX = 16384, /* 50 bytes each: under a MiB */
    REVOCATION_DER_MAX_BYTES = 1024 * 1024
};

struct revocation;

/* An empty list. Errors: NO_MEMORY, CRYPTO. */
ERRFN revocation_new(const struct ca *ca, struct revocation **out_list);
void revocation_free(struct revocation *list);
AUTO_DEFINE(revocation, struct revocation, revocation_free);

/* Adds a certificate; `reason` is a CRLReason, of which 0 (unspecified) is not written. Errors: CERTIFICATE_LIST_LIMIT past
 * REVOCATION_ENTRIES_MAX, NO_MEMORY. */
ERRFN revocation_add(struct revocation *list, const uint8_t serial[static X509_SERIAL_BYTES], uint64_t revoked_ms, int reason);

/* Signs it with its number and times, and appends its DER. Errors: those of the CA's key, CRYPTO, TOO_LONG. */
ERRFN revocation_finish(struct revocation *list, uint64_t number, uint64_t made_ms, uint64_t next_ms, struct buf *out_der);

#endif
