/* For appliance_stub.py: makes credentials as the appliance does, and prints them as JSON.
 *
 *   sealer challenge EK_PUB AK_PUB              → secret, credential_blob, encrypted_secret
 *   sealer config EK_PUB AK_PUB TEXT AAD        → credential_blob, encrypted_secret, iv,
 * ciphertext, tag, aad */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "crypto/gcm.h"
#include "https/json.h"
#include "tpm/ak.h"
#include "tpm/credential.h"

static ERRFN decode(const char *text, struct buf **out_bytes)
{
    TRY(buf_new(8192, out_bytes));
    return base64_decode(view_text(text), *out_bytes);
}

static ERRFN seal_key(char **argv, struct view secret, json_t *object)
{
    AUTO(buf) ek_bytes = NULL;
    AUTO(buf) ak_bytes = NULL;
    AUTO(ek) ek = NULL;
    AUTO(ak) ak = NULL;
    TRY(decode(argv[2], &ek_bytes));
    TRY(decode(argv[3], &ak_bytes));
    TRY(ek_parse(buf_view(ek_bytes), EK_SOURCE_PUB, &ek));
    TRY(ak_parse(buf_view(ak_bytes), &ak));
    AUTO(buf) id_object = NULL;
    AUTO(buf) encrypted = NULL;
    TRY(buf_new(CREDENTIAL_ID_OBJECT_MAX_BYTES, &id_object));
    TRY(buf_new(CREDENTIAL_ENCRYPTED_SECRET_MAX_BYTES, &encrypted));
    TRY(credential_make(ek, ak_name(ak), secret, id_object, encrypted));
    TRY(json_set_base64(object, "credential_blob", buf_view(id_object)));
    return json_set_base64(object, "encrypted_secret", buf_view(encrypted));
}

static ERRFN seal_config(struct view key, const char *text, const char *aad, json_t *object)
{
    uint8_t iv[GCM_IV_BYTES];
    uint8_t tag[GCM_TAG_BYTES];
    random_bytes(iv, sizeof iv);
    AUTO(buf) ciphertext = NULL;
    TRY(buf_new(1 << 20, &ciphertext));
    TRY(gcm_seal(key, view_of(iv, sizeof iv), view_text(aad), view_text(text), ciphertext, tag));
    TRY(json_set_base64(object, "iv", view_of(iv, sizeof iv)));
    TRY(json_set_base64(object, "ciphertext", buf_view(ciphertext)));
    TRY(json_set_base64(object, "tag", view_of(tag, sizeof tag)));
    return json_set_base64(object, "aad", view_text(aad));
}

static ERRFN run(int argc, char **argv)
{
    bool challenge = argc == 4 && strcmp(argv[1], "challenge") == 0;
    ENSURE(challenge || (argc == 6 && strcmp(argv[1], "config") == 0), BAD_REQUEST);
    uint8_t secret[GCM_KEY_BYTES];
    random_bytes(secret, sizeof secret);
    AUTO(json) object = json_object();
    TRY(seal_key(argv, view_of(secret, sizeof secret), object));
    TRY(challenge ? json_set_base64(object, "secret", view_of(secret, sizeof secret))
                  : seal_config(view_of(secret, sizeof secret), argv[4], argv[5], object));
    AUTO(buf) text = NULL;
    TRY(json_write(object, 0, 4 << 20, &text));
    printf("%.*s\n", (int)text->len, (const char *)text->data);
    return OK;
}

int main(int argc, char **argv)
{
    err_t e = run(argc, argv);
    if (!IS_OK(e)) {
        fprintf(stderr, "sealer: %s\n", err_reason(e));
    }
    return IS_OK(e) ? EXIT_SUCCESS : EXIT_FAILURE;
}
