/* One machine, several EKs: a further EK joins a machine by proof that both sit in the same TPM, never by name.
 *
 * The proof: an AK is fixedTPM, so it exists in one TPM. A credential for (EK, name of an AK) is opened only where both are. An AK whose
 * name was activated with EK 1, and now with EK 2, puts EK 2 into EK 1's TPM.
 *
 * A TPM keeps that promise; a key in a file doesn't, for which the name of anybody's AK is enough (it is no secret). So both EKs must be
 * trusted by policy on their own, by certificate or allowed hash. One that only an operator let in neither joins nor is joined. */
#ifndef ITL_SIGNER_JOIN_H
#define ITL_SIGNER_JOIN_H

#include "signer/possession.h"

/* Where a proof leads. */
struct join {
    bool needed;             /* to another machine than the EK's own */
    struct machine machine;  /* the one it leads to */
    char proved_with[MACHINE_EK_SIZE]; /* its EK that the AK was activated with before */
};

/* After possession of `ek`, whose machine is `own` so far. Changes nothing; a conflict is an audit row of its own (ek_conflict). Errors:
 * EK_OF_ANOTHER_MACHINE when the proof leads to another machine than one that an operator already decided on, or to two; MACHINE_EKS. */
ERRFN join_find(struct call *call, const struct ek *ek, const struct possession *possession, const struct machine *own,
                struct join *out_join);

/* Gives the EK and its AK to the machine that the proof leads to, and *machine becomes that one. The record that the EK registered itself
 * as goes; the audit log keeps both sides (machine_absorbed, ek_joined). Nothing when no join is needed. */
ERRFN join_apply(struct call *call, const struct ek *ek, const struct possession *possession, const struct join *join,
                 struct machine *machine);

/* Both. */
ERRFN join_machine(struct call *call, const struct ek *ek, const struct possession *possession, struct machine *machine);

#endif
