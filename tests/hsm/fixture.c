#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <p11-kit/p11-kit.h>

static char store[64];

const char *fixture_store(void)
{
    return store;
}

const char *fixture_module(void)
{
    const char *chosen = getenv("ITL_TEST_PKCS11_MODULE");
    return chosen ? chosen : "/usr/lib/softhsm/libsofthsm2.so";
}

void fixture_store_new(void)
{
    char tokens[80];
    char config[80];
    snprintf(store, sizeof store, "/tmp/itl-hsm-test-XXXXXX");
    assert_non_null(mkdtemp(store));
    snprintf(tokens, sizeof tokens, "%s/tokens", store);
    snprintf(config, sizeof config, "%s/softhsm2.conf", store);
    assert_int_equal(mkdir(tokens, 0700), 0);
    FILE *f = fopen(config, "w");
    assert_non_null(f);
    fprintf(f, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(setenv("SOFTHSM2_CONF", config, 1), 0);
    assert_true(IS_OK(secret_setup()));
}

void fixture_store_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf -- '%s'", store);
    assert_int_equal(system(command), 0);
}

struct hsm_settings fixture_settings(const char *module)
{
    return (struct hsm_settings){.module = module,
                                 .token_label = FIXTURE_TOKEN,
                                 .pin = view_text(FIXTURE_PIN),
                                 .deadline_ms = 3000};
}

void fixture_token_new(const char *label)
{
    struct hsm_settings settings = fixture_settings(fixture_module());
    settings.token_label = label;
    assert_int_equal(hsm_token_create(&settings, view_text(FIXTURE_SO_PIN)).code, 0);
}

void fixture_key_new(enum hsm_role role)
{
    struct hsm_settings settings = fixture_settings(fixture_module());
    AUTO(hsm) h = NULL;
    assert_int_equal(hsm_open_for_ceremony(&settings, &h).code, 0);
    assert_int_equal(hsm_key_create(h, role).code, 0);
}

static CK_SLOT_ID slot_of_token(CK_FUNCTION_LIST *module)
{
    CK_SLOT_ID slots[16];
    CK_ULONG count = sizeof slots / sizeof *slots;
    assert_int_equal(module->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        assert_int_equal(module->C_GetTokenInfo(slots[i], &info), CKR_OK);
        if (memcmp(info.label, FIXTURE_TOKEN, strlen(FIXTURE_TOKEN)) == 0) {
            return slots[i];
        }
    }
    fail_msg("no token");
    return 0;
}

static struct fixture_raw open_with_pin(const char *pin)
{
    struct fixture_raw raw = {.module = p11_kit_module_load(fixture_module(), 0)};
    assert_non_null(raw.module);
    assert_int_equal(p11_kit_module_initialize(raw.module), CKR_OK);
    CK_SLOT_ID slot = slot_of_token(raw.module);
    CK_FLAGS flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
    assert_int_equal(raw.module->C_OpenSession(slot, flags, NULL, NULL, &raw.session), CKR_OK);
    CK_RV rv = raw.module->C_Login(raw.session, CKU_USER, (uint8_t *)(uintptr_t)pin, strlen(pin));
    assert_true(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
    return raw;
}

struct fixture_raw fixture_raw_open(void)
{
    return open_with_pin(FIXTURE_PIN);
}

void fixture_pin_change(const char *from, const char *to)
{
    struct fixture_raw raw = open_with_pin(from);
    assert_int_equal(raw.module->C_SetPIN(raw.session, (uint8_t *)(uintptr_t)from, strlen(from),
                                          (uint8_t *)(uintptr_t)to, strlen(to)),
                     CKR_OK);
    fixture_raw_close(&raw);
}

void fixture_raw_close(struct fixture_raw *raw)
{
    raw->module->C_CloseSession(raw->session);
    p11_kit_module_finalize(raw->module);
    p11_kit_module_release(raw->module);
}

CK_OBJECT_HANDLE fixture_find(const struct fixture_raw *raw, CK_OBJECT_CLASS class,
                              const char *label)
{
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class},
                             {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}};
    CK_OBJECT_HANDLE found = 0;
    CK_ULONG count = 0;
    assert_int_equal(raw->module->C_FindObjectsInit(raw->session, wanted, 2), CKR_OK);
    assert_int_equal(raw->module->C_FindObjects(raw->session, &found, 1, &count), CKR_OK);
    raw->module->C_FindObjectsFinal(raw->session);
    assert_int_equal(count, 1);
    return found;
}

void fixture_close_all_sessions(void)
{
    /* Unmanaged: p11-kit would close only the sessions of this caller. */
    CK_FUNCTION_LIST *module = p11_kit_module_load(fixture_module(), P11_KIT_MODULE_UNMANAGED);
    assert_non_null(module);
    assert_int_equal(module->C_CloseAllSessions(slot_of_token(module)), CKR_OK);
    p11_kit_module_release(module);
}

void fixture_token_clear(void)
{
    struct fixture_raw raw = fixture_raw_open();
    CK_OBJECT_HANDLE found[32];
    CK_ULONG count = 0;
    assert_int_equal(raw.module->C_FindObjectsInit(raw.session, NULL, 0), CKR_OK);
    assert_int_equal(raw.module->C_FindObjects(raw.session, found, 32, &count), CKR_OK);
    raw.module->C_FindObjectsFinal(raw.session);
    for (CK_ULONG i = 0; i < count; i++) {
        assert_int_equal(raw.module->C_DestroyObject(raw.session, found[i]), CKR_OK);
    }
    fixture_raw_close(&raw);
}

bool fixture_verifies(EVP_PKEY *public_key, const uint8_t digest[static HSM_DIGEST_BYTES],
                      const struct buf *signature)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public_key, NULL);
    bool good =
        ctx && EVP_PKEY_verify_init(ctx) == 1 &&
        EVP_PKEY_verify(ctx, signature->data, signature->len, digest, HSM_DIGEST_BYTES) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}
