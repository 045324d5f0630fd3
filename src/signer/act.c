#include "signer/act.h"

#include "signer/body.h"

#include <string.h>

ERRFN act_parse(struct call *call, struct view body, bool may_wipe, struct act *out_act)
{
    struct act act = {0};
    const struct body_field fields[] = {
        {"reason", "body.reason", act.reason, sizeof act.reason, NULL},
        {"ek_fingerprint", "body.ek_fingerprint", act.ek_fingerprint, sizeof act.ek_fingerprint, NULL},
        {"wipe", "body.wipe", NULL, 0, &act.wipe},
    };
    size_t count = sizeof fields / sizeof fields[0];
    if (body.len > 0) {
        TRY(body_read(call, body, fields, may_wipe ? count : count - 1));
    }
    *out_act = act;
    return OK;
}

ERRFN act_check_identity(struct call *call, const char *seen_fingerprint, const struct machine *machine, bool grants)
{
    if (seen_fingerprint[0] == '\0') {
        bool required = grants && call->signer->settings.grants_signed;
        return required ? call_refuse(call, E(FIELD_MISSING), "body.ek_fingerprint") : OK;
    }
    if (strcmp(seen_fingerprint, machine->ek_fingerprint) != 0) {
        return call_refuse(call, E(MACHINE_CHANGED), "body.ek_fingerprint");
    }
    return OK;
}
