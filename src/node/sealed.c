#include "node/sealed.h"

#include <string.h>

#include "crypto/gcm.h"
#include "node/tpm_activation.h"

/* The additional data is authenticated with the key, so it says for whom the appliance meant this.
 */
static ERRFN check_addressee(struct view aad, const char *machine_id)
{
    AUTO(json) object = NULL;
    ENSURE(IS_OK(json_read(aad, &object)), SEALED_INVALID);
    const char *format;
    const char *machine;
    ENSURE(IS_OK(json_get_text(object, "format", 32, &format)) &&
               strcmp(format, "tpm-credential-v1") == 0,
           SEALED_INVALID);
    ENSURE(IS_OK(json_get_text(object, "machine_id", APPLIANCE_ID_MAX, &machine)) &&
               strcmp(machine, machine_id) == 0,
           SEALED_INVALID);
    return OK;
}

ERRFN sealed_open(struct tpm *tpm, const struct endorsement *endorsement, ESYS_TR ek, ESYS_TR ak,
                  const struct appliance_sealed *sealed, const char *machine_id,
                  struct secret **out_config)
{
    AUTO(secret) key = NULL;
    TRY(credential_activate(tpm, endorsement, ek, ak, buf_view(sealed->id_object),
                            buf_view(sealed->encrypted_secret), &key));
    AUTO(buf) plain = NULL;
    TRY(buf_new(APPLIANCE_CONFIG_MAX_BYTES, &plain));
    TRY(gcm_open(secret_view(key), buf_view(sealed->iv), buf_view(sealed->aad),
                 buf_view(sealed->ciphertext), buf_view(sealed->tag), plain));
    TRY(check_addressee(buf_view(sealed->aad), machine_id));
    return secret_copy(buf_view(plain), out_config);
}
