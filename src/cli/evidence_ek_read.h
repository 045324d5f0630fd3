/* EK material out of a file: one or more certificates with what is needed to judge them, or a bare
 * public key. */
#ifndef ITL_CLI_EVIDENCE_EK_READ_H
#define ITL_CLI_EVIDENCE_EK_READ_H

#include "tpm/ek.h"
#include "tpm/ek_diagnosis.h"
#include "tpm/trust.h"

enum { EK_EVIDENCE_MAX = 16 }; /* certificates in one file; an NV area holds two */

struct ek_evidence {
    struct ek *ek[EK_EVIDENCE_MAX]; /* the first is what the file is about */
    size_t count;
    err_t area; /* EK_TEMPLATE when a public area was given that is not an EK's; else OK */
    struct ek_diagnosis fault;
};

/* Reads certificates in every wrapping ek_parse knows, PEM with several of them, a PKCS#7 bag, or a
 * public key as SubjectPublicKeyInfo or public area. CA certificates beside an EK certificate are
 * added to `trust` as intermediates: they help to find a path and count for nothing else. Errors:
 * EK_UNREADABLE with out_evidence->fault saying where and why; EK_KEY_UNSUPPORTED for a bare key;
 * EK_MISSING for no bytes; TOO_LONG past a limit; NO_MEMORY. Clear it whatever comes back. */
ERRFN ek_evidence_read(struct view bytes, struct trust *trust, struct ek_evidence *out_evidence);
void ek_evidence_clear(struct ek_evidence *evidence);

#endif
