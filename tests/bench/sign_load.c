/* sign_load MODULE TOKEN_LABEL PIN_FILE SECONDS: what the TLS token signs a second, one signature after another. */
#include "base/secret.h"
#include "bench/load.h"
#include "hsm/hsm.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool sign(void *context, size_t thread)
{
    (void)thread;
    static const uint8_t digest[HSM_DIGEST_BYTES] = {1};
    AUTO(buf) signature = NULL;
    return IS_OK(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature)) && IS_OK(hsm_sign_p384(context, digest, signature));
}

static ERRFN open_key(char **argv, struct hsm_key **out_key)
{
    AUTO(secret) pin = NULL;
    struct hsm *hsm; /* lives until the process ends */
    TRY(secret_setup());
    TRY(secret_read_file(argv[3], HSM_PIN_MAX_BYTES, &pin));
    const struct hsm_settings settings = {.module = argv[1], .token_label = argv[2], .pin = secret_view(pin)};
    TRY(hsm_open(&settings, &hsm));
    return hsm_key_find(hsm, HSM_ROLE_TLS, out_key);
}

int main(int argc, char **argv)
{
    struct hsm_key *key;
    err_t opened = argc == 5 ? open_key(argv, &key) : E(BAD_REQUEST);
    if (!IS_OK(opened)) {
        fprintf(stderr, "sign_load: %s\n", err_text(opened));
        _exit(2);
    }
    struct load_result result = load_run(1, atof(argv[4]), sign, key);
    load_print("signatures", &result);
    fflush(stdout);
    _exit(result.failed > 0); /* SoftHSM crashes in its destructors under OpenSSL 3 */
}
