/* The audit log: rows chained by SHA-384, never updated or deleted, with signed heads.
 *
 * entry_hash is the SHA-384 of, integers big-endian:
 *     u8 1 (version) | u64 seq | u64 time_ms |
 *     action | actor | machine_id | prev_state | new_state | reason | detail | source_ip |
 *     the previous row's entry_hash (48 bytes)
 * where a text is u8 1 | u32 length | bytes, and an absent one is u8 0. seq counts from 1 without
 * gaps. The hash before the first row is the SHA-384 of AUDIT_GENESIS_TEXT. */
#ifndef ITL_SQL_AUDIT_H
#define ITL_SQL_AUDIT_H

#include "sql/db.h"

#include <stdbool.h>

#define AUDIT_GENESIS_TEXT "ITL Attestation Appliance audit log, version 1"

enum {
    AUDIT_HASH_BYTES = 48,
    AUDIT_NAME_MAX_BYTES = 64,   /* action, states, machine_id, source_ip */
    AUDIT_ACTOR_MAX_BYTES = 512, /* issuer and subject */
    AUDIT_REASON_MAX_BYTES = 512,
    AUDIT_DETAIL_MAX_BYTES = 2048,        /* JSON text */
    AUDIT_HEAD_SIGNATURE_MAX_BYTES = 256, /* P-384 in DER is at most 104 */
    AUDIT_HEADS_KEPT = 4096,              /* an hour at one a second; a later one says it all */
    AUDIT_CLOCK_TOLERANCE_MS = 5000 /* a correction; the row takes the time of the one before */
};

/* Texts may be NULL (absent) except action and actor. */
struct audit_row {
    const char *action;
    const char *actor;
    const char *machine_id;
    const char *prev_state;
    const char *new_state;
    const char *reason;
    const char *detail;
    const char *source_ip;
    uint64_t time_ms;
};

/* Appends to the chain in the current batch. Errors: CLOCK_BACKWARDS when time_ms is more than
 * AUDIT_CLOCK_TOLERANCE_MS before the last row's; TOO_LONG. */
ERRFN audit_append(struct db *db, const struct audit_row *row);

/* The last row; of an empty log seq 0, the genesis hash and time 0. */
struct audit_tail {
    uint64_t seq;
    uint8_t hash[AUDIT_HASH_BYTES];
    uint64_t time_ms;
};
ERRFN audit_tail(struct db *db, struct audit_tail *out_tail);

/* A signed head: the caller signs (seq, hash, time_ms) with the audit key and checks the
 * signature when it reads one. */
struct audit_head {
    uint64_t seq;
    uint8_t hash[AUDIT_HASH_BYTES];
    uint64_t time_ms;
    uint8_t signature[AUDIT_HEAD_SIGNATURE_MAX_BYTES]; /* DER */
    size_t signature_len;
};

/* Errors: AUDIT_BROKEN when row seq does not have this hash; DB_CONFLICT when a head for seq
 * exists. Seq 0 can't be signed: BUG. */
ERRFN audit_head_put(struct db *db, const struct audit_head *head);

/* Errors: NOT_FOUND when none was ever signed. */
ERRFN audit_head_last(struct db *db, struct audit_head *out_head);

/* What audit_verify found. */
struct audit_verdict {
    bool valid;
    bool complete;     /* the end was reached, so truncation below the last head was seen */
    uint64_t rows;     /* checked and found good */
    uint64_t last_seq; /* of the last good row, from_seq - 1 when there is none */
    uint8_t last_hash[AUDIT_HASH_BYTES]; /* of that row: with `complete`, the root */
    uint64_t first_bad_seq;              /* 0 when valid */
    char problem[128];                   /* "" when valid, else a sentence that names the row */
};

/* Recomputes the chain from row from_seq (1 for the beginning; the row before is then taken as
 * good) for up to max_rows rows, and compares it with every stored head on the way. Finds edits,
 * gaps, reordering, forks, and truncation below the last head. The heads' signatures are the
 * caller's to check. A broken chain is a verdict, not an error. */
ERRFN audit_verify(struct db *db, uint64_t from_seq, uint64_t max_rows,
                   struct audit_verdict *out_verdict);

/* A stored row; texts live for the call only, absent ones are NULL. */
struct audit_entry {
    uint64_t seq;
    struct audit_row row;
    uint8_t prev_hash[AUDIT_HASH_BYTES];
    uint8_t entry_hash[AUDIT_HASH_BYTES];
};

struct audit_filter {
    const char *machine_id; /* "" or NULL for any */
    const char *action;     /* "" or NULL for any */
};

/* An error ends the listing and is returned. */
typedef err_t (*audit_each)(void *context, const struct audit_entry *entry);

/* Newest first: up to `limit` rows with seq below before_seq (0 for the newest). */
ERRFN audit_list(struct db *db, const struct audit_filter *filter, uint64_t before_seq,
                 uint32_t limit, audit_each each, void *context);

/* Oldest first: up to `limit` rows with seq above after_seq; for exports and offline
 * verification. */
ERRFN audit_export(struct db *db, uint64_t after_seq, uint32_t limit, audit_each each,
                   void *context);

#endif
