#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "ipc/settings.h"
#include "supervisor/command.h"
#include "supervisor/console.h"
#include "supervisor/settings.h"

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"

AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);
AUTO_DEFINE(BIO, BIO, BIO_free_all);
AUTO_DEFINE(X509, X509, X509_free);
AUTO_DEFINE(json_t, json_t, json_decref);

static void free_openssl(uint8_t *bytes)
{
    OPENSSL_free(bytes);
}
AUTO_DEFINE(openssl_bytes, uint8_t, free_openssl);

/* The appliance's SubjectPublicKeyInfo pin, as curl writes it. */
static ERRFN put_pin(const struct config *config, struct buf *out_pin)
{
    char path[PATH_MAX];
    AUTO(buf) pem = NULL;
    uint8_t hash[SHA256_BYTES];
    settings_chain_path(config, path);
    TRY(fd_read_file(path, IPC_CHAIN_MAX, &pem));
    AUTO(BIO) bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    ENSURE(bio, NO_MEMORY);
    AUTO(X509) certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ENSURE(certificate, TLS_CERTIFICATE);
    AUTO(openssl_bytes) spki = NULL;
    int len = i2d_PUBKEY(X509_get0_pubkey(certificate), &spki);
    ENSURE(len > 0, TLS_CERTIFICATE);
    TRY(sha256(view_of(spki, (size_t)len), hash));
    TRY(buf_put_text(out_pin, "sha256//"));
    TRY(buf_put_base64(out_pin, view_of(hash, sizeof hash)));
    return buf_put_u8(out_pin, 0);
}

static ERRFN put_private_key(EVP_PKEY *key, struct buf *out_pem)
{
    AUTO(BIO) bio = BIO_new(BIO_s_secmem());
    ENSURE(bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1, CRYPTO);
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    ENSURE(len > 0, CRYPTO);
    TRY(buf_put(out_pem, view_of(data, (size_t)len)));
    return buf_put_u8(out_pem, 0);
}

static ERRFN put_request(EVP_PKEY *key, const char *minutes, const char *reason, struct buf *request)
{
    AUTO(openssl_bytes) spki = NULL;
    int len = i2d_PUBKEY(key, &spki);
    ENSURE(len > 0, CRYPTO);
    TRY(settings_put(request, "command", "breakglass-open"));
    TRY(settings_put(request, "minutes", minutes));
    TRY(settings_put(request, "reason", reason));
    TRY(buf_put_text(request, "public_key "));
    TRY(buf_put_base64(request, view_of(spki, (size_t)len)));
    return buf_put_u8(request, '\n');
}

static ERRFN write_credential(const struct config *config, EVP_PKEY *key, struct view answer, const char *path)
{
    char token[IPC_TOKEN_MAX + 1];
    char expires[CLOCK_TEXT_SIZE];
    uint64_t expires_ms;
    AUTO(buf) pem = NULL;
    AUTO(buf) pin = NULL;
    TRY(settings_get_text(answer, "token", 0, token, sizeof token));
    TRY(settings_get_number(answer, "expires_at", &expires_ms));
    TRY(buf_new(1024, &pem));
    TRY(buf_new(128, &pin));
    TRY(put_private_key(key, pem));
    TRY(put_pin(config, pin));
    clock_format(expires_ms, expires);
    AUTO(json_t) root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:n, s:s}", "kind", "break-glass", "token", token, "key_pem",
                                  (const char *)pem->data, "expires_at", expires, "api_url", config->service_url, "ca_file",
                                  "pin", (const char *)pin->data);
    ENSURE(root, NO_MEMORY);
    char *text = json_dumps(root, JSON_INDENT(2));
    ENSURE(text, NO_MEMORY);
    err_t written = fd_write_file_atomic(path, view_text(text), 0600);
    bytes_wipe(text, strlen(text));
    free(text);
    bytes_wipe(token, sizeof token);
    TRY(written);
    printf("break-glass is open until %s\ncredential: %s\n"
           "use it:     attestation --credential %s machine list\n",
           expires, path, path);
    return OK;
}

static ERRFN open_breakglass(const struct config *config, const char *minutes, const char *reason, const char *path,
                             struct buf *answer, bool *out_refused)
{
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-384");
    AUTO(buf) request = NULL;
    ENSURE(key, CRYPTO);
    TRY(buf_new(CONSOLE_MESSAGE_MAX, &request));
    TRY(put_request(key, minutes, reason, request));
    TRY(console_call(config->runtime_directory, buf_view(request), answer));
    struct view ok;
    *out_refused = !IS_OK(settings_get(buf_view(answer), "ok", 0, &ok));
    return *out_refused ? OK : write_credential(config, key, buf_view(answer), path);
}

int command_breakglass_open(const struct config *config, const char *minutes, const char *reason, const char *output)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/breakglass.json", config->runtime_directory);
    AUTO(buf) answer = NULL;
    bool refused = false;
    if (!IS_OK(buf_new(CONSOLE_MESSAGE_MAX, &answer))) {
        return COMMAND_FAILED;
    }
    err_t opened = open_breakglass(config, minutes, reason, output ? output : path, answer, &refused);
    if (!IS_OK(opened)) {
        fprintf(stderr, "itl-attestd: %s\n",
                IS_E(opened, PEER_GONE) ? "the appliance is not running, or this account may not talk to it" : err_text(opened));
        return IS_E(opened, PEER_GONE) ? COMMAND_NOT_RUNNING : COMMAND_FAILED;
    }
    if (refused) {
        struct view text = VIEW_EMPTY;
        IGNORE_ERR(settings_get(buf_view(answer), "text", 0, &text));
        fprintf(stderr, "itl-attestd: %.*s\n", (int)text.len, (const char *)text.data);
        return COMMAND_FAILED;
    }
    return COMMAND_OK;
}
