#include <string.h>

#include "sql/audit_chain.h"

static const char *text_or_null(const struct audit_stored *stored, enum audit_text which)
{
    return (const char *)stored->fields.text[which].data; /* SQLite ends every text with a NUL */
}

static ERRFN entry_read(struct rows *rows, struct audit_entry *out_entry)
{
    struct audit_stored stored;
    TRY(audit_stored_read(rows, &stored));
    ENSURE(stored.prev_hash.len == AUDIT_HASH_BYTES, DB_TAMPERED);
    ENSURE(stored.entry_hash.len == AUDIT_HASH_BYTES, DB_TAMPERED);
    *out_entry = (struct audit_entry){
        .seq = stored.fields.seq,
        .row =
            {
                .action = text_or_null(&stored, AUDIT_ACTION),
                .actor = text_or_null(&stored, AUDIT_ACTOR),
                .machine_id = text_or_null(&stored, AUDIT_MACHINE_ID),
                .prev_state = text_or_null(&stored, AUDIT_PREV_STATE),
                .new_state = text_or_null(&stored, AUDIT_NEW_STATE),
                .reason = text_or_null(&stored, AUDIT_REASON),
                .detail = text_or_null(&stored, AUDIT_DETAIL),
                .source_ip = text_or_null(&stored, AUDIT_SOURCE_IP),
                .time_ms = stored.fields.time_ms,
            },
    };
    memcpy(out_entry->prev_hash, stored.prev_hash.data, AUDIT_HASH_BYTES);
    memcpy(out_entry->entry_hash, stored.entry_hash.data, AUDIT_HASH_BYTES);
    return OK;
}

static ERRFN each_row(struct rows *rows, audit_each each, void *context)
{
    bool more = false;
    TRY(rows_next(rows, &more));
    while (more) {
        struct audit_entry entry;
        TRY(entry_read(rows, &entry));
        TRY(each(context, &entry));
        TRY(rows_next(rows, &more));
    }
    return OK;
}

static bool is_set(const char *text)
{
    return text && text[0] != '\0';
}

static ERRFN list_open(struct db *db, const struct audit_filter *filter, uint64_t before,
                       uint32_t limit, struct rows *out_rows)
{
    const char *machine_id = filter->machine_id;
    const char *action = filter->action;
    if (is_set(machine_id) && is_set(action)) {
        return rows_open(db, STATEMENT_AUDIT_LIST_MACHINE_ACTION,
                         ARGS(NUMBER(before), NUMBER(limit), TEXT(machine_id), TEXT(action)),
                         out_rows);
    }
    if (is_set(machine_id)) {
        return rows_open(db, STATEMENT_AUDIT_LIST_MACHINE,
                         ARGS(NUMBER(before), NUMBER(limit), TEXT(machine_id)), out_rows);
    }
    if (is_set(action)) {
        return rows_open(db, STATEMENT_AUDIT_LIST_ACTION,
                         ARGS(NUMBER(before), NUMBER(limit), TEXT(action)), out_rows);
    }
    return rows_open(db, STATEMENT_AUDIT_LIST, ARGS(NUMBER(before), NUMBER(limit)), out_rows);
}

ERRFN audit_list(struct db *db, const struct audit_filter *filter, uint64_t before_seq,
                 uint32_t limit, audit_each each, void *context)
{
    AUTO(rows) rows = ROWS_NONE;
    uint64_t before = before_seq == 0 || before_seq > INT64_MAX ? INT64_MAX : before_seq;
    TRY(list_open(db, filter, before, limit, &rows));
    return each_row(&rows, each, context);
}

ERRFN audit_export(struct db *db, uint64_t after_seq, uint32_t limit, audit_each each,
                   void *context)
{
    AUTO(rows) rows = ROWS_NONE;
    ENSURE(after_seq <= INT64_MAX, FIELD_INVALID);
    TRY(rows_open(db, STATEMENT_AUDIT_FORWARD, ARGS(NUMBER(after_seq), NUMBER(limit)), &rows));
    return each_row(&rows, each, context);
}
