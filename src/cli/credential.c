#include "cli/credential.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "https/json.h"

AUTO_DEFINE(BIO, BIO, BIO_free_all);

void credential_free(struct credential *credential)
{
    if (credential) {
        secret_free(credential->token);
        EVP_PKEY_free(credential->key);
        free(credential->api_url);
        free(credential->ca_file);
        free(credential->pin);
        free(credential);
    }
}

/* The one field with line ends in it, so json_get_text would refuse it. */
static ERRFN read_key(const json_t *file, EVP_PKEY **out_key)
{
    const char *pem = json_string_value(json_object_get(file, "key_pem"));
    ENSURE(pem, CREDENTIAL_INVALID);
    AUTO(BIO) bio = BIO_new_mem_buf(pem, -1);
    ENSURE(bio, NO_MEMORY);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(
        bio, NULL, NULL, (void *)(uintptr_t) ""); /* never asks for a passphrase */
    ERR_clear_error();
    ENSURE(key, CREDENTIAL_INVALID);
    *out_key = key;
    return OK;
}

static ERRFN read_token(const json_t *file, struct secret **out_token)
{
    const char *token;
    ENSURE(IS_OK(json_get_text(file, "token", CREDENTIAL_TOKEN_MAX, &token)) && token[0],
           CREDENTIAL_INVALID);
    return secret_copy(view_text(token), out_token);
}

static ERRFN read_default(const json_t *file, const char *key, char **out_text)
{
    const char *text;
    ENSURE(IS_OK(json_get_text_or_empty(file, key, 4096, &text)), CREDENTIAL_INVALID);
    if (text[0]) {
        *out_text = strdup(text);
        ENSURE(*out_text, NO_MEMORY);
    }
    return OK;
}

/* RFC 3339 in UTC sorts as text: "2026-11-22T10:11:12" is compared, fraction and Z are not. */
static ERRFN check_expiry(const json_t *file)
{
    enum { SORTED_CHARS = 19 };
    const char *expires;
    ENSURE(IS_OK(json_get_text(file, "expires_at", 40, &expires)), CREDENTIAL_INVALID);
    size_t len = strlen(expires);
    ENSURE(len > SORTED_CHARS && expires[len - 1] == 'Z' && expires[10] == 'T', CREDENTIAL_INVALID);
    char now[CLOCK_TEXT_SIZE];
    clock_format(clock_utc_ms(), now);
    ENSURE(strncmp(now, expires, SORTED_CHARS) < 0, CREDENTIAL_EXPIRED);
    return OK;
}

static ERRFN read_file(const char *path, struct secret **out_text)
{
    err_t e = secret_read_file(path, CREDENTIAL_FILE_MAX_BYTES, out_text);
    if (IS_E(e, CONFIG_INVALID)) {
        struct stat st;
        bool open = stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
        return open ? E(CREDENTIAL_PERMISSIONS) : E(CREDENTIAL_INVALID);
    }
    return IS_E(e, TOO_LONG) ? E(CREDENTIAL_INVALID) : e;
}

ERRFN credential_read(const char *path, struct credential **out_credential)
{
    AUTO(secret) text = NULL;
    TRY(read_file(path, &text));
    AUTO(json) file = NULL;
    ENSURE(IS_OK(json_read(secret_view(text), &file)), CREDENTIAL_INVALID);
    TRY(check_expiry(file));
    AUTO(credential) credential = calloc(1, sizeof *credential);
    ENSURE(credential, NO_MEMORY);
    TRY(read_token(file, &credential->token));
    TRY(read_key(file, &credential->key));
    TRY(read_default(file, "api_url", &credential->api_url));
    TRY(read_default(file, "ca_file", &credential->ca_file));
    TRY(read_default(file, "pin", &credential->pin));
    *out_credential = STEAL(credential);
    return OK;
}
