#include "hsm/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/x509.h>

#include "base/fd.h"
#include "hsm/provider_state.h"
#include "hsm/role.h"

enum {
    CONFIG_MAX_BYTES = 4096,
    URI_MAX_BYTES = 256,
    SESSIONS_DEFAULT = 4,
    SESSIONS_DIRECT = 1 /* the hsm's own, see hsm_settings.sessions_max */
};

/* The path goes into a configuration text: no character that means something there. */
static bool path_is_plain(const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+/";
    return path && path[0] == '/' && path[strspn(path, plain)] == '\0';
}

/* `no-deinit`: the hsm finalises the module. `no-operation-state`: SoftHSM lacks
 * C_GetOperationState. A cached key would be a copy of ours in the session (C_CopyObject), outside
 * what hsm_key_find checked. */
static ERRFN write_config(const struct hsm_settings *settings, struct buf *out_text)
{
    unsigned sessions = settings->sessions_max ? settings->sessions_max : SESSIONS_DEFAULT;
    ENSURE(sessions > SESSIONS_DIRECT, CONFIG_INVALID);
    return buf_printf(out_text,
                      "openssl_conf = start\n"
                      "[start]\nproviders = providers\n"
                      "[providers]\ndefault = default_provider\npkcs11 = pkcs11_provider\n"
                      "[default_provider]\nactivate = 1\n"
                      "[pkcs11_provider]\n"
                      "pkcs11-module-path = %s\n"
                      "pkcs11-module-quirks = no-deinit no-operation-state\n"
                      "pkcs11-module-load-behavior = early\n"
                      "pkcs11-module-login-behavior = auto\n"
                      "pkcs11-module-cache-keys = never\n"
                      "pkcs11-module-cache-sessions = %u\n"
                      "activate = 1\n",
                      settings->module, sessions - SESSIONS_DIRECT);
}

/* Through an anonymous file in memory: OpenSSL 3.0 takes provider settings from a file only. */
static ERRFN load_config(OSSL_LIB_CTX *context, struct view text)
{
    AUTO(fd) fd = memfd_create("openssl.cnf", MFD_CLOEXEC);
    ENSURE(fd >= 0, IO);
    TRY(fd_write_full(fd, text.data, text.len));
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ENSURE(OSSL_LIB_CTX_load_config(context, path) == 1, TOKEN_MODULE);
    ENSURE(OSSL_PROVIDER_available(context, "default") == 1, TOKEN_MODULE);
    ENSURE(OSSL_PROVIDER_available(context, "pkcs11") == 1, TOKEN_MODULE);
    return OK;
}

static int answer_with_pin(UI *ui, UI_STRING *prompt)
{
    const struct hsm_provider *p = UI_get0_user_data(ui);
    switch (UI_get_string_type(prompt)) {
    case UIT_PROMPT:
    case UIT_VERIFY:
        return UI_set_result(ui, prompt, (const char *)p->pin->data) == 0;
    case UIT_NONE:
    case UIT_BOOLEAN:
    case UIT_INFO:
    case UIT_ERROR:
        return 1;
    }
    return 0;
}

static ERRFN set_up(const struct hsm_settings *settings, struct hsm_provider *p)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(CONFIG_MAX_BYTES, &text));
    TRY(write_config(settings, text));
    snprintf(p->token_label, sizeof p->token_label, "%s", settings->token_label);
    TRY(secret_copy(settings->pin, &p->pin));
    TRY(deadline_new(settings->deadline_ms ? settings->deadline_ms : HSM_DEADLINE_DEFAULT_MS,
                     &p->deadline));
    p->pin_dialogue = UI_create_method("token PIN");
    ENSURE(p->pin_dialogue && UI_method_set_reader(p->pin_dialogue, answer_with_pin) == 0,
           NO_MEMORY);
    p->context = OSSL_LIB_CTX_new();
    ENSURE(p->context, NO_MEMORY);

    deadline_arm(p->deadline);
    err_t err = load_config(p->context, buf_view(text));
    deadline_disarm(p->deadline);
    deadline_watch_connections(p->deadline);
    ERR_clear_error();
    return err;
}

ERRFN hsm_provider_open(const struct hsm_settings *settings, struct hsm_provider **out_provider)
{
    ENSURE(path_is_plain(settings->module), CONFIG_INVALID);
    ENSURE(settings->token_label && strlen(settings->token_label) <= TOKEN_LABEL_MAX_BYTES,
           CONFIG_INVALID);
    ENSURE(settings->pin.len <= HSM_PIN_MAX_BYTES, CONFIG_INVALID);
    AUTO(hsm_provider) p = calloc(1, sizeof *p);
    ENSURE(p, NO_MEMORY);
    TRY(set_up(settings, p));
    *out_provider = STEAL(p);
    return OK;
}

void hsm_provider_close(struct hsm_provider *p)
{
    if (p) {
        deadline_arm(p->deadline);
        OSSL_LIB_CTX_free(p->context);
        deadline_disarm(p->deadline);
        deadline_free(p->deadline);
        UI_destroy_method(p->pin_dialogue);
        secret_free(p->pin);
        free(p);
    }
}

OSSL_LIB_CTX *hsm_provider_context(struct hsm_provider *p)
{
    return p->context;
}

/* RFC 7512; every byte of the token's label percent-encoded, so that none means anything. */
static ERRFN write_uri(const struct hsm_provider *p, const char *object, struct buf *out_uri)
{
    TRY(buf_put_text(out_uri, "pkcs11:token="));
    for (const char *c = p->token_label; *c; c++) {
        TRY(buf_printf(out_uri, "%%%02X", (unsigned char)*c));
    }
    TRY(buf_printf(out_uri, ";object=%s;type=private", object));
    return buf_put_u8(out_uri, '\0');
}

static ERRFN load_only_key(OSSL_STORE_CTX *store, EVP_PKEY **out_key)
{
    EVP_PKEY *key = NULL;
    bool second = false;
    while (!OSSL_STORE_eof(store) && !second) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            second = key != NULL;
            EVP_PKEY_free(key);
            key = OSSL_STORE_INFO_get1_PKEY(info);
        }
        OSSL_STORE_INFO_free(info);
    }
    ENSURE(key, TOKEN_KEY_MISSING);
    err_t err = second ? E(TOKEN_KEY_AMBIGUOUS) : OK;
    if (IS_OK(err) && (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_bits(key) != P384_BITS)) {
        err = E(TOKEN_KEY_TYPE);
    }
    if (!IS_OK(err)) {
        EVP_PKEY_free(key);
        return err;
    }
    *out_key = key;
    return OK;
}

ERRFN hsm_provider_key(struct hsm_provider *p, enum hsm_role role, EVP_PKEY **out_key)
{
    const struct role_shape *shape = role_shape(role);
    ENSURE(shape && shape->type == CKK_EC, BUG);
    AUTO(buf) uri = NULL;
    TRY(buf_new(URI_MAX_BYTES, &uri));
    TRY(write_uri(p, shape->label, uri));

    deadline_arm(p->deadline);
    OSSL_STORE_CTX *store =
        OSSL_STORE_open_ex((const char *)uri->data, p->context, "provider=pkcs11", p->pin_dialogue,
                           p, NULL, NULL, NULL);
    err_t err = store ? load_only_key(store, out_key) : E(TOKEN_KEY_MISSING);
    OSSL_STORE_close(store);
    deadline_disarm(p->deadline);
    ERR_clear_error();
    return err;
}
