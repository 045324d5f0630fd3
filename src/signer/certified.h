/* A machine that shows its enrollment certificate and proves that it has the key: by a signature over a nonce of ours, or by the TLS
 * handshake of its connection. A certificate counts in the signer's terms: it is in the inventory, of the machine that goes by that EK
 * now, and not revoked or on hold; and the machine is registered or attested. */
#ifndef ITL_SIGNER_CERTIFIED_H
#define ITL_SIGNER_CERTIFIED_H

#include "signer/signer.h"
#include "sql/certificates.h"

struct certified {
    struct machine machine;
    struct certificate certificate;
};

/* The nonce is used up whatever comes: the caller keeps what it wrote. Errors: NONCE_…, CERTIFICATE_INVALID, CERTIFICATE_SIGNATURE,
 * CERTIFICATE_HELD, MACHINE_…. */
ERRFN certified_by_nonce(struct call *call, const struct ipc_enroll_request *request, struct certified *out_certified);

/* `handshake` as messages.def has it. Errors: CLIENT_CERTIFICATE_MISSING, CLIENT_PROOF_INVALID, CLIENT_PROOF_EXPIRED,
 * CERTIFICATE_INVALID, CERTIFICATE_HELD, MACHINE_…. */
ERRFN certified_by_handshake(struct call *call, struct view handshake, struct certified *out_certified);

#endif
