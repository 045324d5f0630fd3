/* A machine as operators see it: MachineDetail (contract B.1.10). */
#ifndef ITL_FRONT_MACHINE_ANSWER_H
#define ITL_FRONT_MACHINE_ANSWER_H

#include "front/exchange.h"
#include "front/json_write.h"

/* `name` is the member's, NULL in an array and for a whole answer. */
void machine_put(struct json_writer *w, const char *name, const struct ipc_machine_record *machine);

/* "eks": what a machine shows of its TPM, in an object that is open. */
void machine_put_eks(struct json_writer *w, struct ipc_list eks);

/* The first machine of the list with its EKs. Errors: WIRE when there is none. */
ERRFN machine_answer_with_eks(struct exchange *x, struct ipc_list machines, struct ipc_list eks);

/* The first machine of the list as the whole answer. Errors: WIRE when there is none. */
ERRFN machine_answer(struct exchange *x, struct ipc_list machines);

#endif
