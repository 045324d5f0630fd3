/* What lets someone in for a while: configuration tokens, wipe tokens, approval votes, operator credentials,
 * seen signatures. Tokens are stored as their SHA-384 only. */
#ifndef ITL_SQL_TOKENS_H
#define ITL_SQL_TOKENS_H

#include "sql/machines.h"

enum {
    TOKEN_HASH_BYTES = 48,              /* SHA-384 */
    KEY_ID_BYTES = 32,                  /* SHA-256 of a SubjectPublicKeyInfo */
    CONFIG_TOKEN_GRACE_MS = 120 * 1000, /* a node that lost the answer may fetch again */
    VOTES_LISTED_MAX = 16,
    OPERATOR_SPKI_MAX_BYTES = 256, /* a P-384 SubjectPublicKeyInfo is 120 bytes */
    OPERATOR_CREDENTIALS_LISTED_MAX = 16,
    SIGNATURE_NONCE_MAX_BYTES = 64
};

/* -- configuration tokens -------------------------------------------------------------------- */

struct config_token_found {
    char machine_id[MACHINE_ID_SIZE];
    uint64_t expires_ms;
    uint64_t fetched_ms;                  /* first fetch, 0 for never */
    char ek_fingerprint[MACHINE_EK_SIZE]; /* of the EK that attested for it; "" in one of an older
                                             release */
};

/* A machine has one live token: the new one replaces the old. Errors: MACHINE_UNKNOWN,
 * FIELD_INVALID. */
ERRFN config_token_put(struct db *db, const char *machine_id, const char *ek_fingerprint,
                       const uint8_t token_sha384[static TOKEN_HASH_BYTES], uint64_t expires_ms);

/* Errors: TOKEN_UNKNOWN, also when expired, replaced, or first fetched more than
 * CONFIG_TOKEN_GRACE_MS ago. */
ERRFN config_token_find(struct db *db, const uint8_t token_sha384[static TOKEN_HASH_BYTES],
                        uint64_t now_ms, struct config_token_found *out_token);

/* Starts the grace period at the first call; later calls change nothing. Errors: TOKEN_UNKNOWN
 * as above. */
ERRFN config_token_mark_fetched(struct db *db, const uint8_t token_sha384[static TOKEN_HASH_BYTES],
                                uint64_t now_ms);

/* The machine's token dies (lock, revoke); none is fine. */
ERRFN config_token_kill(struct db *db, const char *machine_id);

/* -- wipe tokens ----------------------------------------------------------------------------- */

/* With it a revoked machine that proved itself says that it wiped itself. One at a time, like the
 * configuration token. Errors: MACHINE_UNKNOWN. */
ERRFN wipe_token_put(struct db *db, const char *machine_id,
                     const uint8_t token_sha384[static TOKEN_HASH_BYTES], uint64_t expires_ms);

/* Takes this machine's token; it can be taken once. Errors: WIPE_TOKEN. */
ERRFN wipe_token_take(struct db *db, const char *machine_id,
                      const uint8_t token_sha384[static TOKEN_HASH_BYTES], uint64_t now_ms);

/* The order is over some other way; none is fine. */
ERRFN wipe_token_kill(struct db *db, const char *machine_id);

/* -- approval votes -------------------------------------------------------------------------- */

/* One operator's approval of exactly this content. issuer + subject is one identity. */
struct vote {
    char machine_id[MACHINE_ID_SIZE];
    char issuer[257];
    char subject[257];
    char role[65];
    char hostname[254];
    char assigned_ip[65];
    char cluster_id[65];
    uint64_t created_ms;
    uint64_t expires_ms;
    uint64_t consumed_ms; /* 0 for not yet */
};

/* Errors: DB_CONFLICT when this identity has a live vote (not expired at created_ms, not
 * consumed), which then stays as it is; MACHINE_UNKNOWN. */
ERRFN vote_put(struct db *db, const struct vote *vote);

/* Live votes, oldest first. */
ERRFN vote_list(struct db *db, const char *machine_id, uint64_t now_ms,
                struct vote out_votes[static VOTES_LISTED_MAX], size_t *out_count);

/* All votes that are stored, also consumed and expired ones, newest first. */
ERRFN vote_history(struct db *db, const char *machine_id,
                   struct vote out_votes[static VOTES_LISTED_MAX], size_t *out_count);

/* The quorum is reached: live votes count no more. */
ERRFN vote_consume(struct db *db, const char *machine_id, uint64_t now_ms);

/* Lock, reject, revoke: votes are gone. */
ERRFN vote_kill(struct db *db, const char *machine_id);

/* -- operator credentials -------------------------------------------------------------------- */

/* Stored as numbers: never renumber. */
enum operator_credential_kind { OPERATOR_CREDENTIAL_NONE = 0, OPERATOR_CREDENTIAL_BREAK_GLASS };

struct operator_credential {
    char id[MACHINE_ID_SIZE]; /* UUID */
    int kind;                 /* enum operator_credential_kind */
    uint8_t token_sha384[TOKEN_HASH_BYTES];
    uint8_t key_id[KEY_ID_BYTES]; /* SHA-256 of public_key; computed by operator_credential_put */
    uint8_t
        public_key[OPERATOR_SPKI_MAX_BYTES]; /* SubjectPublicKeyInfo DER, empty for a token alone */
    size_t public_key_len;
    char subject[129]; /* "SYSTEM" for break-glass */
    char reason[257];
    uint64_t opened_ms;
    uint64_t expires_ms;
    uint64_t closed_ms; /* 0 for not closed by hand */
};

/* Errors: DB_CONFLICT when id, token or key exist. */
ERRFN operator_credential_put(struct db *db, const struct operator_credential *credential);

/* Open ones only. Errors: AUTH_INVALID when unknown, closed or expired. */
ERRFN operator_credential_by_token(struct db *db,
                                   const uint8_t token_sha384[static TOKEN_HASH_BYTES],
                                   uint64_t now_ms, struct operator_credential *out_credential);
ERRFN operator_credential_by_key_id(struct db *db, const uint8_t key_id[static KEY_ID_BYTES],
                                    uint64_t now_ms, struct operator_credential *out_credential);

/* Closes all that are open; out_closed says how many were. */
ERRFN operator_credential_close_all(struct db *db, uint64_t now_ms, uint64_t *out_closed);

/* Open ones, the one that expires last first. */
ERRFN operator_credential_list_open(
    struct db *db, uint64_t now_ms,
    struct operator_credential out_list[static OPERATOR_CREDENTIALS_LISTED_MAX], size_t *out_count);

/* -- seen signatures ------------------------------------------------------------------------- */

/* Remembers a signed request (RFC 9421 nonce parameter) until expires_ms, after which the caller
 * refuses it by its age. Errors: SIGNATURE_REPLAYED when it was seen before; TOO_LONG. */
ERRFN request_signature_seen(struct db *db, const uint8_t key_id[static KEY_ID_BYTES],
                             struct view nonce, uint64_t expires_ms);

#endif
