#include "hsm/module.h"

#include <string.h>

#include <p11-kit/p11-kit.h>

#include "hsm/rv.h"

enum { SLOTS_MAX = 256 }; /* network HSMs show a slot for each partition; more is a broken module */

ERRFN module_open(const char *path, CK_FUNCTION_LIST **out_module)
{
    p11_kit_be_quiet(); /* it would write to standard error; what matters comes back as CK_RV */
    CK_FUNCTION_LIST *module = p11_kit_module_load(path, 0);
    ENSURE(module, TOKEN_MODULE);
    if (p11_kit_module_initialize(module) != CKR_OK) {
        p11_kit_module_release(module);
        return E(TOKEN_MODULE);
    }
    *out_module = module;
    return OK;
}

void module_close(CK_FUNCTION_LIST *module)
{
    if (module) {
        p11_kit_module_finalize(module);
        p11_kit_module_release(module);
    }
}

static ERRFN slots_with_tokens(CK_FUNCTION_LIST *module, CK_SLOT_ID out_slots[static SLOTS_MAX],
                               CK_ULONG *out_count)
{
    CK_ULONG count = SLOTS_MAX;
    CK_RV rv = module->C_GetSlotList(CK_TRUE, out_slots, &count);
    ENSURE(rv != CKR_BUFFER_TOO_SMALL, TOKEN_FAILED);
    ENSURE(rv != CKR_DEVICE_ERROR, TOKEN_REMOVED); /* the p11-kit server is gone */
    TRY(rv_err(rv));
    ENSURE(count <= SLOTS_MAX, TOKEN_FAILED);
    *out_count = count;
    return OK;
}

static bool has_label(const CK_TOKEN_INFO *info, const char *label)
{
    char padded[sizeof info->label + 1];
    memset(padded, ' ', sizeof padded);
    memcpy(padded, label, strlen(label));
    return memcmp(padded, info->label, sizeof info->label) == 0;
}

ERRFN module_find_token(CK_FUNCTION_LIST *module, const char *label, CK_SLOT_ID *out_slot,
                        CK_TOKEN_INFO *out_info)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = 0;
    TRY(slots_with_tokens(module, slots, &count));
    bool found = false;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (module->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
            !(info.flags & CKF_TOKEN_INITIALIZED) || !has_label(&info, label)) {
            continue; /* another slot's broken token is not our business */
        }
        ENSURE(!found, TOKEN_AMBIGUOUS);
        found = true;
        *out_slot = slots[i];
        *out_info = info;
    }
    ENSURE(found, TOKEN_ABSENT);
    return OK;
}

ERRFN module_find_free(CK_FUNCTION_LIST *module, CK_SLOT_ID *out_slot)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = 0;
    TRY(slots_with_tokens(module, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (module->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            !(info.flags & CKF_TOKEN_INITIALIZED)) {
            *out_slot = slots[i];
            return OK;
        }
    }
    return E(TOKEN_ABSENT);
}
