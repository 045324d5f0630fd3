/* Keys in a PKCS#11 token (v2.40): open it, find and check our keys, sign, seal.
 *
 *     hsm_open → hsm_key_find (checks the key, once) → hsm_sign_p384, hsm_seal, … → hsm_close
 *
 * A key that could leave the token is refused. Handles are cached: nothing but hsm_open and
 * hsm_key_find searches the token, except once after a lost session.
 *
 * The module may be the vendor's own, or p11-kit-client.so with P11_KIT_SERVER_ADDRESS in the
 * environment, which then has it run in another process (`p11-kit server`). No PKCS#11 type leaves
 * this folder.
 *
 * All calls block, at most hsm_settings.deadline_ms: then a p11-kit connection is shut down
 * (TOKEN_REMOVED); a module that hangs in this process can't be interrupted, so the process exits
 * with HSM_EXIT_STUCK for its supervisor to replace. For this SIGALRM is taken and SIGPIPE is
 * ignored.
 *
 * After TOKEN_REMOVED a hardware token that is plugged in again works on; SoftHSM and p11-kit
 * connections need hsm_close and hsm_open, in practice a new process.
 *
 * One thread at a time. After a fork nothing here may be used in the child: sessions do not survive
 * it. */
#ifndef ITL_HSM_HSM_H
#define ITL_HSM_HSM_H

#include <openssl/types.h>

#include "base/bytes.h"
#include "base/secret.h"

enum {
    HSM_DIGEST_BYTES = 48,                 /* SHA-384 */
    HSM_SIGNATURE_MAX_BYTES = 104,         /* DER of two 48-byte integers: 2 + 2 * (2 + 49) */
    HSM_PIN_MAX_BYTES = 32,                /* what pkcs11-provider has room for */
    HSM_SEAL_MAX_BYTES = 1024 * 1024,      /* the longest plaintext: a machine configuration */
    HSM_SEAL_OVERHEAD_BYTES = 1 + 24 + 16, /* version, nonce, tag */
    HSM_AAD_MAX_BYTES = 1024,              /* says what is sealed; never data */
    HSM_TOKEN_TEXT_SIZE = 160,
    HSM_DEADLINE_DEFAULT_MS = 10000, /* network HSMs fail over in seconds */
    HSM_EXIT_STUCK = 75              /* EX_TEMPFAIL of sysexits.h */
};

struct hsm;
struct hsm_key;

struct hsm_settings {
    const char *module;      /* absolute path of the PKCS#11 module */
    const char *token_label; /* at most 32 bytes, compared without the padding blanks */
    struct view pin;         /* the user's; copied into guarded memory for a new login */
    unsigned sessions_max;   /* sessions to ask the token for, the provider's included; 0 means 4 */
    unsigned deadline_ms;    /* longest token operation; 0 means HSM_DEADLINE_DEFAULT_MS */
};

/* What a key is for. The label in the token follows from it. */
enum hsm_role {
    HSM_ROLE_NONE = 0,
    HSM_ROLE_ENROLLMENT_CA, /* "itl-enrollment-ca": P-384, signs enrollment certificates */
    HSM_ROLE_AUDIT,         /* "itl-audit": P-384, signs audit heads */
    HSM_ROLE_VAULT,         /* "itl-vault": AES-256, seals keys and secrets for the database */
    HSM_ROLE_TLS            /* "itl-tls": P-384, the server's TLS key, in its own token */
};

/* Empty for what is no role. */
const char *hsm_role_label(enum hsm_role role);

/* Loads and initialises the module, finds exactly one token with the label, opens a session and
 * logs in. The PIN is tried once, and not at all when a wrong one would lock the token. Errors:
 * TOKEN_MODULE (can't be loaded or initialised), TOKEN_ABSENT, TOKEN_AMBIGUOUS (two tokens of that
 * label), TOKEN_PIN, TOKEN_PIN_LOCKED, TOKEN_PIN_FINAL, TOKEN_REMOVED, TOKEN_FAILED, CONFIG_INVALID
 * (label or PIN too long), NO_MEMORY. */
ERRFN hsm_open(const struct hsm_settings *settings, struct hsm **out_hsm);

/* Logs out and finalises the module; accepts NULL. Close every hsm_provider of the module before.
 * The process then leaves by _exit(): SoftHSM 2.6.1 crashes in its destructors under OpenSSL 3. */
void hsm_close(struct hsm *h);
AUTO_DEFINE(hsm, struct hsm, hsm_close);

/* Finds the role's key by label and class and checks that there is exactly one and that it is what
 * the ceremony makes: a token object, private, sensitive and always so, never extractable, made in
 * the token, of the role's type and size, allowed to do what the role does and nothing else
 * (PKCS#11 v2.40 base 4.9, 4.10); then uses it once. The key belongs to `h`. Errors:
 * TOKEN_KEY_MISSING, TOKEN_KEY_AMBIGUOUS, TOKEN_KEY_EXTRACTABLE, TOKEN_KEY_TYPE (also: the public
 * object is another key's), TOKEN_KEY_USAGE, TOKEN_REMOVED, TOKEN_FAILED. */
ERRFN hsm_key_find(struct hsm *h, enum hsm_role role, struct hsm_key **out_key);

/* ECDSA over a SHA-384 digest (CKM_ECDSA); appends the DER of ECDSA-Sig-Value (RFC 3279
 * section 2.2.3), at most HSM_SIGNATURE_MAX_BYTES. A lost session is opened again, once. Errors:
 * TOKEN_REMOVED, TOKEN_FAILED, TOKEN_PIN (on the new login), TOO_LONG, BUG (vault key). */
ERRFN hsm_sign_p384(struct hsm_key *key, const uint8_t digest[static HSM_DIGEST_BYTES],
                    struct buf *out_der);

/* The public half of a signing key, as read by hsm_key_find; the caller frees it with
 * EVP_PKEY_free. Errors: CRYPTO, BUG (vault key). */
ERRFN hsm_public_key(const struct hsm_key *key, EVP_PKEY **out_key);

/* The same as DER of SubjectPublicKeyInfo (RFC 5480), appended; 120 bytes. */
ERRFN hsm_public_key_der(const struct hsm_key *key, struct buf *out_spki);

/* XAES-256-GCM (C2SP) under the vault key: the token derives a key of its own for every message
 * (NIST SP 800-108r1, counter mode with AES-256-CMAC, from CKM_AES_ECB block calls), OpenSSL's
 * AES-256-GCM seals under that one. So the vault key never leaves the token, random nonces are safe
 * for 2^80 messages, long plaintexts do not travel to the token, and sealed data opens the same
 * in-process and through p11-kit, which carries no CKM_AES_GCM. Appends version (0x01), nonce (24
 * bytes), ciphertext, tag (16 bytes). `aad` is bound in and must be given again to open. Two token
 * calls. Errors: TOO_LONG, TOKEN_REMOVED, TOKEN_FAILED, TOKEN_PIN (on a new login), BUG (no vault
 * key). */
ERRFN hsm_seal(struct hsm_key *vault, struct view aad, struct view plaintext,
               struct buf *out_sealed);

/* Errors: TOKEN_OPEN when anything was altered, another aad was given or another key sealed it;
 * otherwise as hsm_seal. */
ERRFN hsm_open_sealed(struct hsm_key *vault, struct view aad, struct view sealed,
                      struct secret **out_plaintext);

/* Whether the token still answers and we are still logged in; a lost session is opened again. Cheap
 * enough for every readiness check (C_GetSessionInfo). Errors: TOKEN_REMOVED, TOKEN_PIN,
 * TOKEN_PIN_LOCKED, TOKEN_PIN_FINAL, TOKEN_FAILED. */
ERRFN hsm_ready(struct hsm *h);

/* Whether the token has the mechanisms, with flags and key sizes, that making and using the role's
 * key takes. Errors: TOKEN_MECHANISM, TOKEN_REMOVED, TOKEN_FAILED. */
ERRFN hsm_probe_mechanisms(struct hsm *h, enum hsm_role role);

/* What the token says of itself, in printable ASCII: maker, model, serial number, firmware.
 * Errors: TOKEN_REMOVED, TOKEN_FAILED. */
ERRFN hsm_describe(struct hsm *h, char out_text[static HSM_TOKEN_TEXT_SIZE]);

#endif
