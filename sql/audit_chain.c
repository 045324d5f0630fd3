#include "sql/audit_chain.h"

#include "crypto/digest.h"

enum { ENCODING_VERSION = 1 };

const uint16_t AUDIT_TEXT_MAX[AUDIT_TEXTS] = {
    [AUDIT_ACTION] = AUDIT_NAME_MAX_BYTES,     [AUDIT_ACTOR] = AUDIT_ACTOR_MAX_BYTES,
    [AUDIT_MACHINE_ID] = AUDIT_NAME_MAX_BYTES, [AUDIT_PREV_STATE] = AUDIT_NAME_MAX_BYTES,
    [AUDIT_NEW_STATE] = AUDIT_NAME_MAX_BYTES,  [AUDIT_REASON] = AUDIT_REASON_MAX_BYTES,
    [AUDIT_DETAIL] = AUDIT_DETAIL_MAX_BYTES,   [AUDIT_SOURCE_IP] = AUDIT_NAME_MAX_BYTES,
};

ERRFN audit_genesis(uint8_t out_hash[static AUDIT_HASH_BYTES])
{
    return sha384(view_text(AUDIT_GENESIS_TEXT), out_hash);
}

static ERRFN put_text(struct buf *encoded, struct view text)
{
    if (!text.data) {
        return buf_put_u8(encoded, 0);
    }
    ENSURE(text.len <= UINT32_MAX, TOO_LONG);
    TRY(buf_put_u8(encoded, 1));
    TRY(buf_put_u32(encoded, (uint32_t)text.len));
    return buf_put(encoded, text);
}

ERRFN audit_entry_hash(struct buf *scratch, const struct audit_fields *fields,
                       const uint8_t prev_hash[static AUDIT_HASH_BYTES],
                       uint8_t out_hash[static AUDIT_HASH_BYTES])
{
    buf_truncate(scratch, 0);
    TRY(buf_put_u8(scratch, ENCODING_VERSION));
    TRY(buf_put_u64(scratch, fields->seq));
    TRY(buf_put_u64(scratch, fields->time_ms));
    for (int i = 0; i < AUDIT_TEXTS; i++) {
        TRY(put_text(scratch, fields->text[i]));
    }
    TRY(buf_put(scratch, view_of(prev_hash, AUDIT_HASH_BYTES)));
    return sha384(buf_view(scratch), out_hash);
}

ERRFN audit_stored_read(struct rows *rows, struct audit_stored *out_stored)
{
    struct audit_stored stored;
    stored.fields.seq = rows_number(rows, 0);
    stored.fields.time_ms = rows_number(rows, 1);
    for (int i = 0; i < AUDIT_TEXTS; i++) {
        stored.fields.text[i] = rows_text_view(rows, 2 + i);
    }
    stored.prev_hash = rows_bytes_view(rows, 2 + AUDIT_TEXTS);
    stored.entry_hash = rows_bytes_view(rows, 3 + AUDIT_TEXTS);
    TRY(rows_problem(rows));
    *out_stored = stored;
    return OK;
}
