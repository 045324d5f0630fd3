/* How an unknown EK becomes a machine. */
#ifndef ITL_SIGNER_REGISTER_H
#define ITL_SIGNER_REGISTER_H

#include "signer/signer.h"
#include "tpm/ek.h"

/* What a node says of itself: shown to the operator, decides nothing. Views may be empty. */
struct registration {
    struct view hw_uuid;
    struct view hw_mac;
    struct view hw_serial;
    struct view hw_product;
    struct view desired_role;
    struct view cluster_id;
};

/* Makes a machine that waits for approval, when the EK is trusted or policy leaves it to an operator, and audits it. Errors: EK_NOT_TRUSTED,
 * EK_CHAIN_INVALID, EK_NOT_A_CERTIFICATE, MACHINE_LIMIT, ROLE_UNKNOWN, FIELD_INVALID. */
ERRFN register_machine(struct call *call, const struct registration *wishes, const struct ek *ek,
                       struct machine *out_machine);

#endif
