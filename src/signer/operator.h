/* Who an operator is, and whether this request is really his. */
#ifndef ITL_SIGNER_OPERATOR_H
#define ITL_SIGNER_OPERATOR_H

#include "signer/signer.h"
#include "sql/tokens.h"

/* An operator's act as it came from the front, which is taken for compromised: everything here is a claim. */
struct operator_act {
    struct view bearer;
    struct view method;
    struct view target;
    struct view signature_input;
    struct view signature;
    struct view content_digest;
    struct view body;
};

/* The fields that every operator message shares. */
#define OPERATOR_ACT(request)                                                                      \
    ((struct operator_act){(request)->bearer, (request)->method, (request)->target,                \
                           (request)->signature_input, (request)->signature,                       \
                           (request)->content_digest, (request)->body})

/* A token may read and take away. Errors: AUTH_NOT_CONFIGURED when no credential is open at all, AUTH_MISSING, AUTH_INVALID. Notes the
 * operator for the audit row. */
ERRFN operator_may_read(struct call *call, const struct operator_act *act);

/* What grants something must be signed by the operator's own key over exactly this method, target and body, within a minute, once; unless
 * operator.grants is bearer. `method` and `target` are what the signer is about to do, as it would be asked for. Errors: as above and
 * SIGNATURE_MISSING, SIGNATURE_INVALID, SIGNATURE_REPLAYED. */
ERRFN operator_may_grant(struct call *call, const struct operator_act *act, const char *method, const char *target);

#endif
