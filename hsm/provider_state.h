/* Private to provider.c and provider_sign.c. */
#ifndef ITL_HSM_PROVIDER_STATE_H
#define ITL_HSM_PROVIDER_STATE_H

#include <openssl/ui.h>

#include "hsm/deadline.h"
#include "hsm/provider.h"

enum { TOKEN_LABEL_MAX_BYTES = 32 };

struct hsm_provider {
    OSSL_LIB_CTX *context;
    UI_METHOD *pin_dialogue;
    struct secret *pin;
    char token_label[TOKEN_LABEL_MAX_BYTES + 1];
    struct deadline *deadline;
};

#endif
