/* A real SoftHSM store in a private folder for one test program. */
#ifndef ITL_TESTS_HSM_FIXTURE_H
#define ITL_TESTS_HSM_FIXTURE_H

#include <p11-kit/pkcs11.h>

#include "hsm/ceremony.h"
#include "hsm/hsm.h"
#include "hsm/provider.h"

#define FIXTURE_TOKEN  "itl test token"
#define FIXTURE_PIN    "user-pin-4711"
#define FIXTURE_SO_PIN "officer-pin-0815"

/* Makes an empty store and points SOFTHSM2_CONF at it; fails the test program when it can't. */
void fixture_store_new(void);
void fixture_store_remove(void);

/* The store's folder, and the path of SoftHSM's module. */
const char *fixture_store(void);
const char *fixture_module(void);

/* Settings for FIXTURE_TOKEN with the right PIN and `module`. */
struct hsm_settings fixture_settings(const char *module);

/* Initialises a token with FIXTURE_PIN and this label. */
void fixture_token_new(const char *label);

/* A key in FIXTURE_TOKEN as the ceremony makes it. */
void fixture_key_new(enum hsm_role role);

/* Raw PKCS#11 in FIXTURE_TOKEN, to make what the ceremony would not: a logged-in read-write
 * session, until fixture_raw_close. */
struct fixture_raw {
    CK_FUNCTION_LIST *module;
    CK_SESSION_HANDLE session;
};
struct fixture_raw fixture_raw_open(void);
void fixture_raw_close(struct fixture_raw *raw);
CK_OBJECT_HANDLE fixture_find(const struct fixture_raw *raw, CK_OBJECT_CLASS class,
                              const char *label);

/* Closes every session of the token behind the library's back, as a reset of the token does. */
void fixture_close_all_sessions(void);

/* Changes the user's PIN of FIXTURE_TOKEN. */
void fixture_pin_change(const char *from, const char *to);

/* Removes every object of FIXTURE_TOKEN. */
void fixture_token_clear(void);

/* ECDSA over the digest verifies with plain OpenSSL. */
bool fixture_verifies(EVP_PKEY *public_key, const uint8_t digest[static HSM_DIGEST_BYTES],
                      const struct buf *signature);

#endif
