/* For tests: prints the three headers of a signed request, made by the same code as the command line's.
 * sign_request CREDENTIAL METHOD TARGET BODY */
#include "api/signature_base.h"
#include "base/random.h"
#include "base/secret.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);
AUTO_DEFINE(BIO, BIO, BIO_free_all);
AUTO_DEFINE(json_t, json_t, json_decref);

static ERRFN print_headers(EVP_PKEY *key, char **argv)
{
    uint8_t nonce[SIGNATURE_NONCE_BYTES];
    uint8_t keyid[SIGNATURE_KEYID_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    struct signature_params params;
    AUTO(buf) digest = NULL;
    AUTO(buf) input = NULL;
    AUTO(buf) base = NULL;
    AUTO(buf) header = NULL;
    TRY(buf_new(SIGNATURE_HEADER_MAX_BYTES, &digest));
    TRY(buf_new(SIGNATURE_HEADER_MAX_BYTES, &input));
    TRY(buf_new(SIGNATURE_BASE_MAX_BYTES, &base));
    TRY(buf_new(SIGNATURE_HEADER_MAX_BYTES, &header));
    random_bytes(nonce, sizeof nonce);
    TRY(content_digest_put(view_text(argv[4]), digest));
    TRY(signature_keyid(key, keyid));
    TRY(signature_input_put((uint64_t)time(NULL), nonce, keyid, input));
    TRY(signature_input_parse(buf_view(input), &params));
    struct signature_request request = {view_text(argv[2]), view_text(argv[3]), buf_view(digest)};
    TRY(signature_base_put(&request, &params, base));
    TRY(signature_make(key, buf_view(base), signature));
    TRY(signature_header_put(signature, header));
    printf("%.*s\n%.*s\n%.*s\n", (int)digest->len, (const char *)digest->data, (int)input->len, (const char *)input->data,
           (int)header->len, (const char *)header->data);
    return OK;
}

int main(int argc, char **argv)
{
    AUTO(json_t) credential = argc == 5 ? json_load_file(argv[1], 0, NULL) : NULL;
    const char *pem = json_string_value(json_object_get(credential, "key_pem"));
    if (!pem || !IS_OK(secret_setup())) {
        fprintf(stderr, "usage: sign_request CREDENTIAL METHOD TARGET BODY\n");
        return 2;
    }
    AUTO(BIO) bio = BIO_new_mem_buf(pem, -1);
    AUTO(EVP_PKEY) key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    return key && IS_OK(print_headers(key, argv)) ? EXIT_SUCCESS : EXIT_FAILURE;
}
