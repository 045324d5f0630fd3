/* What an operator is logged in with: a file that `itl-attestd breakglass open` (or a login) wrote,
 * holding a token and the private key that signs what grants something. */
#ifndef ITL_CLI_CREDENTIAL_H
#define ITL_CLI_CREDENTIAL_H

#include "base/secret.h"

#include <openssl/types.h>

enum { CREDENTIAL_FILE_MAX_BYTES = 16 * 1024, CREDENTIAL_TOKEN_MAX = 128 };

struct credential {
    struct secret *token;
    EVP_PKEY *key; /* P-384 */
    char *api_url; /* defaults of where it is good for; NULL for none */
    char *ca_file;
    char *pin;
};
void credential_free(struct credential *credential);
AUTO_DEFINE(credential, struct credential, credential_free);

/* Reads {"kind":"break-glass","token","key_pem","expires_at","api_url","ca_file","pin"}. Errors:
 * CONFIG_UNREADABLE when there is no such file, CREDENTIAL_PERMISSIONS when others than its owner
 * may read or write it, CREDENTIAL_INVALID for another content, CREDENTIAL_EXPIRED. */
ERRFN credential_read(const char *path, struct credential **out_credential);

#endif
