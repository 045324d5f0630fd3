/* Inside sql/ only: how a row becomes a hash, and how it is read. */
#ifndef ITL_SQL_AUDIT_CHAIN_H
#define ITL_SQL_AUDIT_CHAIN_H

#include "sql/audit.h"
#include "sql/statement.h"

/* The texts of a row, in the order in which they are stored and hashed. */
enum audit_text {
    AUDIT_ACTION = 0,
    AUDIT_ACTOR,
    AUDIT_MACHINE_ID,
    AUDIT_PREV_STATE,
    AUDIT_NEW_STATE,
    AUDIT_REASON,
    AUDIT_DETAIL,
    AUDIT_SOURCE_IP,
    AUDIT_TEXTS
};

/* Greatest length of each, in bytes. */
extern const uint16_t AUDIT_TEXT_MAX[AUDIT_TEXTS];

enum { AUDIT_ENCODED_MAX_BYTES = 4096 }; /* all texts at their maximum take 3.5 KiB */

/* What is hashed, besides the hash before. A text whose data is NULL is absent. */
struct audit_fields {
    uint64_t seq;
    uint64_t time_ms;
    struct view text[AUDIT_TEXTS];
};

ERRFN audit_genesis(uint8_t out_hash[static AUDIT_HASH_BYTES]);

/* `scratch` holds AUDIT_ENCODED_MAX_BYTES and is reused from row to row. Errors: TOO_LONG. */
ERRFN audit_entry_hash(struct buf *scratch, const struct audit_fields *fields,
                       const uint8_t prev_hash[static AUDIT_HASH_BYTES],
                       uint8_t out_hash[static AUDIT_HASH_BYTES]);

/* A row of SQL_AUDIT_COLUMNS with its two hashes. Views live until the next row. */
struct audit_stored {
    struct audit_fields fields;
    struct view prev_hash;
    struct view entry_hash;
};
ERRFN audit_stored_read(struct rows *rows, struct audit_stored *out_stored);

#endif
