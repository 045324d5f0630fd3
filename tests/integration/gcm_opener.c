/* For tests: opens AES-256-GCM, which openssl enc does not do. Everything is hexadecimal; the plaintext goes to standard output.
 * gcm_opener KEY IV AAD TAG < CIPHERTEXT */
#include "base/text.h"
#include "crypto/gcm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CIPHERTEXT_MAX_BYTES = 1 << 20 };

static ERRFN decode(const char *text, struct buf **out_bytes)
{
    size_t len = strlen(text) / 2;
    uint8_t *at;
    AUTO(buf) bytes = NULL;
    TRY(buf_new(len, &bytes));
    TRY(buf_extend(bytes, len, &at));
    TRY(hex_decode(view_text(text), at, len));
    *out_bytes = STEAL(bytes);
    return OK;
}

static ERRFN read_input(struct buf **out_bytes)
{
    char *text = calloc(1, 2 * CIPHERTEXT_MAX_BYTES + 1);
    ENSURE(text, NO_MEMORY);
    err_t decoded = fread(text, 1, 2 * CIPHERTEXT_MAX_BYTES, stdin) > 0 ? decode(text, out_bytes) : E(IO);
    free(text);
    return decoded;
}

static ERRFN open_sealed(char **argv)
{
    AUTO(buf) key = NULL;
    AUTO(buf) iv = NULL;
    AUTO(buf) aad = NULL;
    AUTO(buf) tag = NULL;
    AUTO(buf) ciphertext = NULL;
    AUTO(buf) plaintext = NULL;
    TRY(decode(argv[1], &key));
    TRY(decode(argv[2], &iv));
    TRY(decode(argv[3], &aad));
    TRY(decode(argv[4], &tag));
    TRY(read_input(&ciphertext));
    TRY(buf_new(CIPHERTEXT_MAX_BYTES, &plaintext));
    TRY(gcm_open(buf_view(key), buf_view(iv), buf_view(aad), buf_view(ciphertext), buf_view(tag), plaintext));
    ENSURE(fwrite(plaintext->data, 1, plaintext->len, stdout) == plaintext->len, IO);
    return OK;
}

int main(int argc, char **argv)
{
    err_t done = argc == 5 ? open_sealed(argv) : E(BAD_REQUEST);
    if (!IS_OK(done)) {
        fprintf(stderr, "gcm_opener: %s\n", err_text(done));
    }
    return IS_OK(done) ? EXIT_SUCCESS : EXIT_FAILURE;
}
