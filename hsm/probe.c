#include <ctype.h>
#include <stdio.h>

#include "hsm/rv.h"
#include "hsm/session.h"

static ERRFN check_mechanism(struct hsm *h, const struct role_mechanism *wanted)
{
    CK_MECHANISM_INFO info;
    deadline_arm(h->deadline);
    CK_RV rv = h->module->C_GetMechanismInfo(h->slot, wanted->type, &info);
    deadline_disarm(h->deadline);
    ENSURE(rv != CKR_DEVICE_ERROR, TOKEN_REMOVED);
    TRY(rv_err(rv));
    ENSURE((info.flags & wanted->flags) == wanted->flags, TOKEN_MECHANISM);
    ENSURE(info.ulMinKeySize <= wanted->key_size && wanted->key_size <= info.ulMaxKeySize,
           TOKEN_MECHANISM);
    return OK;
}

ERRFN hsm_probe_mechanisms(struct hsm *h, enum hsm_role role)
{
    const struct role_shape *shape = role_shape(role);
    ENSURE(shape, BUG);
    TRY(check_mechanism(h, &shape->use));
    return check_mechanism(h, &shape->generate);
}

/* PKCS#11 pads text with blanks; what is not plain ASCII becomes a question mark. */
static void unpad(const CK_UTF8CHAR *padded, size_t len, char *out_text)
{
    while (len > 0 && padded[len - 1] == ' ') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        out_text[i] = isascii(padded[i]) && isprint(padded[i]) ? (char)padded[i] : '?';
    }
    out_text[len] = '\0';
}

ERRFN hsm_describe(struct hsm *h, char out_text[static HSM_TOKEN_TEXT_SIZE])
{
    CK_TOKEN_INFO info;
    TRY(rv_err(h->module->C_GetTokenInfo(h->slot, &info)));
    char maker[sizeof info.manufacturerID + 1];
    char model[sizeof info.model + 1];
    char serial[sizeof info.serialNumber + 1];
    unpad(info.manufacturerID, sizeof info.manufacturerID, maker);
    unpad(info.model, sizeof info.model, model);
    unpad(info.serialNumber, sizeof info.serialNumber, serial);
    snprintf(out_text, HSM_TOKEN_TEXT_SIZE, "%s %s, serial %s, firmware %u.%u", maker, model,
             serial, info.firmwareVersion.major, info.firmwareVersion.minor);
    return OK;
}
