#include "sql/audit.h"

#include <string.h>

#include "sql/audit_chain.h"

ERRFN audit_tail(struct db *db, struct audit_tail *out_tail)
{
    AUTO(rows) rows = ROWS_NONE;
    struct audit_tail tail = {0};
    bool found = false;
    TRY(rows_open(db, STATEMENT_AUDIT_TAIL, NO_ARGS, &rows));
    TRY(rows_next(&rows, &found));
    if (found) {
        tail.seq = rows_number(&rows, 0);
        rows_bytes(&rows, 1, tail.hash, sizeof tail.hash);
        tail.time_ms = rows_number(&rows, 2);
        TRY(rows_problem(&rows));
    } else {
        TRY(audit_genesis(tail.hash));
    }
    *out_tail = tail;
    return OK;
}

static struct view optional_text(const char *text)
{
    return text ? view_text(text) : VIEW_EMPTY;
}

static ERRFN fields_of(const struct audit_row *row, struct audit_fields *out_fields)
{
    ENSURE(row->action && row->actor, BUG);
    *out_fields = (struct audit_fields){
        .text =
            {
                [AUDIT_ACTION] = optional_text(row->action),
                [AUDIT_ACTOR] = optional_text(row->actor),
                [AUDIT_MACHINE_ID] = optional_text(row->machine_id),
                [AUDIT_PREV_STATE] = optional_text(row->prev_state),
                [AUDIT_NEW_STATE] = optional_text(row->new_state),
                [AUDIT_REASON] = optional_text(row->reason),
                [AUDIT_DETAIL] = optional_text(row->detail),
                [AUDIT_SOURCE_IP] = optional_text(row->source_ip),
            },
    };
    for (int i = 0; i < AUDIT_TEXTS; i++) {
        ENSURE(out_fields->text[i].len <= AUDIT_TEXT_MAX[i], TOO_LONG);
    }
    return OK;
}

/* The chain's time never runs backwards, whatever the clock does. */
static ERRFN time_after(const struct audit_tail *tail, uint64_t time_ms, uint64_t *out_time_ms)
{
    ENSURE(time_ms <= INT64_MAX, FIELD_INVALID);
    ENSURE(time_ms + AUDIT_CLOCK_TOLERANCE_MS >= tail->time_ms, CLOCK_BACKWARDS);
    *out_time_ms = time_ms > tail->time_ms ? time_ms : tail->time_ms;
    return OK;
}

ERRFN audit_append(struct db *db, const struct audit_row *row)
{
    AUTO(buf) scratch = NULL;
    struct audit_tail tail;
    struct audit_fields fields;
    uint8_t hash[AUDIT_HASH_BYTES];
    TRY(fields_of(row, &fields));
    TRY(audit_tail(db, &tail));
    TRY(time_after(&tail, row->time_ms, &fields.time_ms));
    fields.seq = tail.seq + 1;
    TRY(buf_new(AUDIT_ENCODED_MAX_BYTES, &scratch));
    TRY(audit_entry_hash(scratch, &fields, tail.hash, hash));
    return statement_run(db, STATEMENT_AUDIT_APPEND,
                         ARGS(NUMBER(fields.seq), NUMBER(fields.time_ms), TEXT(row->action),
                              TEXT(row->actor), TEXT(row->machine_id), TEXT(row->prev_state),
                              TEXT(row->new_state), TEXT(row->reason), TEXT(row->detail),
                              TEXT(row->source_ip), BYTES(tail.hash, sizeof tail.hash),
                              BYTES(hash, sizeof hash)),
                         NULL);
}

/* A head is signed for what is stored, never for something that only the caller remembers. */
static ERRFN head_matches(struct db *db, const struct audit_head *head)
{
    AUTO(rows) rows = ROWS_NONE;
    uint8_t hash[AUDIT_HASH_BYTES];
    TRY(rows_open(db, STATEMENT_AUDIT_HASH_AT, ARGS(NUMBER(head->seq)), &rows));
    TRY(rows_one(&rows, E(AUDIT_BROKEN)));
    rows_bytes(&rows, 0, hash, sizeof hash);
    TRY(rows_problem(&rows));
    ENSURE(memcmp(hash, head->hash, sizeof hash) == 0, AUDIT_BROKEN);
    return OK;
}

ERRFN audit_head_put(struct db *db, const struct audit_head *head)
{
    ENSURE(head->seq > 0, BUG);
    ENSURE(head->signature_len <= sizeof head->signature, TOO_LONG);
    TRY(head_matches(db, head));
    TRY(statement_run(db, STATEMENT_HEAD_PUT,
                      ARGS(NUMBER(head->seq), BYTES(head->hash, sizeof head->hash),
                           NUMBER(head->time_ms), BYTES(head->signature, head->signature_len)),
                      NULL));
    return statement_run(db, STATEMENT_HEAD_TRIM, ARGS(NUMBER(AUDIT_HEADS_KEPT)), NULL);
}

ERRFN audit_head_last(struct db *db, struct audit_head *out_head)
{
    AUTO(rows) rows = ROWS_NONE;
    struct audit_head head = {0};
    TRY(rows_open(db, STATEMENT_HEAD_LAST, NO_ARGS, &rows));
    TRY(rows_one(&rows, E(NOT_FOUND)));
    head.seq = rows_number(&rows, 0);
    rows_bytes(&rows, 1, head.hash, sizeof head.hash);
    head.time_ms = rows_number(&rows, 2);
    rows_bytes_up_to(&rows, 3, head.signature, sizeof head.signature, &head.signature_len);
    TRY(rows_problem(&rows));
    *out_head = head;
    return OK;
}
