/* What a machine proves itself with: nonces, challenge sessions, activated AKs, evidence.
 *
 * Taking a nonce or a session is a write: a request that is refused later must still be released
 * and committed, not rolled back, or the nonce could be used again. */
#ifndef ITL_SQL_PROOF_H
#define ITL_SQL_PROOF_H

#include "sql/machines.h"

enum {
    PROOF_ID_BYTES = 16,
    PROOF_NONCE_BYTES = 32,
    PROOF_SECRET_HASH_BYTES = 48, /* SHA-384 */
    PROOF_AK_NAME_MAX_BYTES = 66, /* algorithm and a SHA-512 (TPM 2.0 Part 1 section 16) */
    PROOF_AK_PUBLIC_MAX_BYTES = 1024,
    PROOF_EK_PUBLIC_MAX_BYTES = 1024,
    EVIDENCE_PART_MAX_BYTES = 8192, /* quote, signature, PCR values: each far below */
    EVIDENCE_KEPT = 16              /* per machine, the oldest goes */
};

/* -- nonces ---------------------------------------------------------------------------------- */

/* Ids that begin with the time (big-endian, as in UUID version 7) are stored side by side, which
 * saves a page per nonce when many are made at once. Errors: DB_CONFLICT when the id exists. */
ERRFN nonce_put(struct db *db, const uint8_t id[static PROOF_ID_BYTES],
                const uint8_t nonce[static PROOF_NONCE_BYTES], uint64_t expires_ms);

/* Takes a nonce; each can be taken once. Errors: NONCE_UNKNOWN, NONCE_EXPIRED, NONCE_USED. */
ERRFN nonce_take(struct db *db, const uint8_t id[static PROOF_ID_BYTES], uint64_t now_ms,
                 uint8_t out_nonce[static PROOF_NONCE_BYTES]);

/* Stored nonces, used and expired ones included until expire_old removes them. Constant time. */
ERRFN nonce_count(struct db *db, uint64_t *out_count);

/* -- challenge sessions ---------------------------------------------------------------------- */

struct session {
    uint8_t id[PROOF_ID_BYTES];
    uint8_t nonce_id[PROOF_ID_BYTES]; /* lives in the session only, not among nonce_take's */
    uint8_t nonce[PROOF_NONCE_BYTES];
    char ek_fingerprint[MACHINE_EK_SIZE];
    uint8_t ak_name[PROOF_AK_NAME_MAX_BYTES];
    size_t ak_name_len;
    uint8_t ak_public[PROOF_AK_PUBLIC_MAX_BYTES]; /* TPM2B_PUBLIC */
    size_t ak_public_len;
    uint8_t ek_public[PROOF_EK_PUBLIC_MAX_BYTES]; /* TPM2B_PUBLIC, a claim until the secret comes */
    size_t ek_public_len;                         /* 0 when none was sent */
    uint8_t secret_sha384[PROOF_SECRET_HASH_BYTES]; /* of the secret that the credential carries */
    uint64_t created_ms;
    uint64_t expires_ms;
    char source_ip[46];
};

/* Replaces any session of the same EK, used or not. Errors: DB_CONFLICT when the id exists for
 * another EK. */
ERRFN session_put(struct db *db, const struct session *session);

/* Takes a session; each can be taken once. Errors: SESSION_UNKNOWN (also replaced or expired),
 * SESSION_USED. */
ERRFN session_take(struct db *db, const uint8_t id[static PROOF_ID_BYTES], uint64_t now_ms,
                   struct session *out_session);

/* When this EK's latest stored session was made, 0 for none: to space challenges. Errors:
 * FIELD_INVALID. */
ERRFN session_last_created(struct db *db, const char *ek_fingerprint, uint64_t *out_created_ms);

/* Stored sessions, used and expired ones included until expire_old removes them. Constant time. */
ERRFN session_count(struct db *db, uint64_t *out_count);

/* -- AKs ------------------------------------------------------------------------------------- */

/* The AK that proved, by credential activation, to live in the same TPM as the EK. One per EK:
 * the last. */
struct ak_record {
    char ek_fingerprint[MACHINE_EK_SIZE];
    char machine_id[MACHINE_ID_SIZE];
    uint8_t name[PROOF_AK_NAME_MAX_BYTES];
    size_t name_len;
    uint8_t public_area[PROOF_AK_PUBLIC_MAX_BYTES]; /* TPM2B_PUBLIC */
    size_t public_len;
    char key_name[64]; /* kind of key as policy names it, such as "P-384" */
    uint64_t activated_ms;
};

/* Replaces the EK's earlier AK. Errors: MACHINE_UNKNOWN when the EK is not stored or belongs to
 * another machine. */
ERRFN ak_activate(struct db *db, const struct ak_record *ak);

/* Errors: AK_UNKNOWN, FIELD_INVALID. */
ERRFN ak_get(struct db *db, const char *ek_fingerprint, struct ak_record *out_ak);

/* An EK with which an AK of a given name was activated. */
struct ak_holder {
    char ek_fingerprint[MACHINE_EK_SIZE];
    char machine_id[MACHINE_ID_SIZE];
};

enum { AK_HOLDERS_MAX = 8 }; /* every EK of two machines; one TPM's keys are one machine's */

/* Whose AK has this name, by fingerprint. Errors: TOO_LONG. */
ERRFN ak_holders(struct db *db, struct view name,
                 struct ak_holder out_holders[static AK_HOLDERS_MAX], size_t *out_count);

/* -- evidence -------------------------------------------------------------------------------- */

/* One appraised quote. Clock facts as in TPMS_CLOCK_INFO (TPM 2.0 Part 2 section 10.11.1). */
struct evidence_record {
    char machine_id[MACHINE_ID_SIZE];
    uint64_t time_ms;
    struct view quote;      /* TPMS_ATTEST */
    struct view signature;  /* as received */
    struct view pcr_values; /* in the caller's encoding */
    uint64_t clock;
    uint32_t reset_count;
    uint32_t restart_count;
    uint64_t firmware_version;
    struct view event_log_sha384; /* of the log it was appraised with; empty for none */
    struct view ek_fingerprint;   /* SHA-384: the EK that it came with */
    int verdict;            /* the caller's enums: overall, chain, replay */
    int chain;
    int replay;
    uint64_t policy_number; /* the version in force then (policies.h), 0 for one from a file */
    char reason[64];        /* stable reason, "" for none */
};

enum { EVIDENCE_STORAGE_BYTES = 5 * EVIDENCE_PART_MAX_BYTES };

/* Keeps the last EVIDENCE_KEPT of a machine. Errors: MACHINE_UNKNOWN, TOO_LONG. */
ERRFN evidence_put(struct db *db, const struct evidence_record *evidence);

/* The one `back` before the latest, which is 0. Views point into `storage`, which is emptied
 * first and must be able to hold EVIDENCE_STORAGE_BYTES. Errors: NOT_FOUND, TOO_LONG. */
ERRFN evidence_get(struct db *db, const char *machine_id, uint32_t back, struct buf *storage,
                   struct evidence_record *out_evidence);

/* -- expiry ---------------------------------------------------------------------------------- */

enum { EXPIRED_KEPT_MS = 5 * 60 * 1000 }; /* so that a late node is told "expired", not "unknown" */

/* Removes nonces, sessions, config and wipe tokens and seen signatures that expired more than
 * EXPIRED_KEPT_MS ago (signatures: at all; certificates: CERTIFICATE_KEPT_MS), at most max_rows of each kind: call it again while
 * out_removed is not 0. */
ERRFN expire_old(struct db *db, uint64_t now_ms, uint32_t max_rows, uint64_t *out_removed);

#endif
