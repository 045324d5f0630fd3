#include "signer/lookup.h"

#include <string.h>

ERRFN lookup_machine(struct call *call, struct view id, struct machine *out_machine)
{
    char machine_id[MACHINE_ID_SIZE];
    TRY(view_to_text(id, machine_id, sizeof machine_id));
    TRY(machine_by_id(call->signer->db, machine_id, out_machine));
    memcpy(call->machine_id, out_machine->machine_id, sizeof call->machine_id);
    return OK;
}
