/* Loading the module and finding the token in it. Private to this folder. */
#ifndef ITL_HSM_MODULE_H
#define ITL_HSM_MODULE_H

#include <p11-kit/pkcs11.h>

#include "hsm/hsm.h"

/* Loaded and initialised (C_Initialize with operating system locks). Errors: TOKEN_MODULE. */
ERRFN module_open(const char *path, CK_FUNCTION_LIST **out_module);
void module_close(CK_FUNCTION_LIST *module);

/* The one initialised token with this label. Errors: TOKEN_ABSENT, TOKEN_AMBIGUOUS, TOKEN_REMOVED,
 * TOKEN_FAILED. */
ERRFN module_find_token(CK_FUNCTION_LIST *module, const char *label, CK_SLOT_ID *out_slot,
                        CK_TOKEN_INFO *out_info);

/* A slot whose token is not initialised. Errors: TOKEN_ABSENT, TOKEN_REMOVED, TOKEN_FAILED. */
ERRFN module_find_free(CK_FUNCTION_LIST *module, CK_SLOT_ID *out_slot);

#endif
