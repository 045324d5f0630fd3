/* Token keys as OpenSSL keys, through pkcs11-provider: for certificates and everything else that
 * wants an EVP_PKEY.
 *
 * Has its own OSSL_LIB_CTX with the providers `default` and `pkcs11` in it, configured in memory:
 * nothing is read from or left on disk, and the PIN is handed over by a callback. In-process
 * modules share the initialised module and login with the hsm that is open; open the hsm first and
 * close it last. Sign once with every key before entering a sandbox: OpenSSL fetches algorithms and
 * loads error strings at first use. */
#ifndef ITL_HSM_PROVIDER_H
#define ITL_HSM_PROVIDER_H

#include <openssl/x509.h>

#include "hsm/hsm.h"

struct hsm_provider;

/* Errors: TOKEN_MODULE (pkcs11-provider or the module can't be loaded), CONFIG_INVALID (module path
 * with characters other than letters, digits and ._-+/), NO_MEMORY. */
ERRFN hsm_provider_open(const struct hsm_settings *settings, struct hsm_provider **out_provider);

/* Accepts NULL. Free every key taken from it before. */
void hsm_provider_close(struct hsm_provider *p);
AUTO_DEFINE(hsm_provider, struct hsm_provider, hsm_provider_close);

/* The role's P-384 key as an EVP_PKEY whose private operations happen in the token (RFC 7512 URI by
 * token and object label). The caller frees it with EVP_PKEY_free. Attributes are not checked here:
 * hsm_key_find does that. Errors: TOKEN_KEY_MISSING, TOKEN_KEY_AMBIGUOUS, TOKEN_KEY_TYPE, BUG (a
 * role that is no P-384 key). */
ERRFN hsm_provider_key(struct hsm_provider *p, enum hsm_role role, EVP_PKEY **out_key);

/* The library context for calls that want one beside the key (X509_new_ex, X509_REQ_new_ex…).
 * Belongs to `p`. */
OSSL_LIB_CTX *hsm_provider_context(struct hsm_provider *p);

/* ECDSA with SHA-384 over a message; appends DER as hsm_sign_p384. Errors: TOKEN_FAILED (hsm_ready
 * tells whether the token is gone), TOO_LONG, NO_MEMORY. */
ERRFN hsm_provider_sign_sha384(struct hsm_provider *p, EVP_PKEY *key, struct view message,
                               struct buf *out_der);

/* Sign what the caller has filled in, with ecdsa-with-SHA384 (RFC 5758). Better than X509_sign
 * itself because the deadline of the settings holds. Errors: TOKEN_FAILED, NO_MEMORY. */
ERRFN hsm_provider_sign_certificate(struct hsm_provider *p, EVP_PKEY *key, X509 *certificate);
ERRFN hsm_provider_sign_request(struct hsm_provider *p, EVP_PKEY *key, X509_REQ *request);
ERRFN hsm_provider_sign_crl(struct hsm_provider *p, EVP_PKEY *key, X509_CRL *crl);

#endif
