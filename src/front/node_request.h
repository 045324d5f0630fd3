/* The bodies that nodes send, as the signer's messages (contract A.3, B.1.4 to B.1.7). Pure:
 * JSON in, struct out. The views of the message point into `fields` and the body. */
#ifndef ITL_FRONT_NODE_REQUEST_H
#define ITL_FRONT_NODE_REQUEST_H

#include "front/fields.h"
#include "ipc/messages.h"

/* Errors: those of fields.h; EK_MISSING; FIELD_MISSING (ek_fingerprint, ak_pub); fields->fault
 * names the field. source_ip is left to the caller. */
ERRFN node_request_register(struct fields *f, struct ipc_self_register_request *out_request);
ERRFN node_request_challenge(struct fields *f, struct ipc_challenge_request *out_request);

/* machine_id is left to the caller as well. Also PCR_VALUES_INVALID. */
ERRFN node_request_certificate(struct fields *f, struct ipc_request_cert_request *out_request);

ERRFN node_request_ak_activate(struct fields *f, struct ipc_ak_activate_request *out_request);

ERRFN node_request_enroll(struct fields *f, struct ipc_enroll_request *out_request);

/* Also PCR_VALUES_INVALID. */
ERRFN node_request_attest(struct fields *f, struct ipc_attest_request *out_request);

#endif
