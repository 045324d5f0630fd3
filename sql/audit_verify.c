#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sql/audit_chain.h"

/* A walk along the chain, and along the signed heads beside it. */
struct walk {
    struct rows *rows;
    struct rows *heads;
    struct buf *scratch;
    uint64_t time_ms; /* of the last good row */
    bool have_head;
    uint64_t head_seq; /* the next head to compare with */
    uint8_t head_hash[AUDIT_HASH_BYTES];
    struct audit_verdict verdict;
};

static bool bad(struct walk *walk, uint64_t seq, const char *what)
{
    snprintf(walk->verdict.problem, sizeof walk->verdict.problem, "Row %" PRIu64 ": %s.", seq,
             what);
    walk->verdict.first_bad_seq = seq;
    walk->verdict.valid = false;
    return false;
}

static ERRFN next_head(struct walk *walk)
{
    TRY(rows_next(walk->heads, &walk->have_head));
    if (walk->have_head) {
        walk->head_seq = rows_number(walk->heads, 0);
        rows_bytes(walk->heads, 1, walk->head_hash, sizeof walk->head_hash);
    }
    return rows_problem(walk->heads);
}

/* Whether the row continues the chain; its hash goes to out_hash. */
static ERRFN row_check(struct walk *walk, const struct audit_stored *stored, uint8_t *out_hash,
                       bool *out_good)
{
    const uint64_t expected = walk->verdict.last_seq + 1;
    const struct view last = view_of(walk->verdict.last_hash, AUDIT_HASH_BYTES);
    *out_good = false;
    if (stored->fields.seq != expected) {
        bad(walk, expected, "it is missing");
        return OK;
    }
    if (!view_equal(stored->prev_hash, last)) {
        bad(walk, expected, "prev_hash is not the hash of the row before");
        return OK;
    }
    err_t error = audit_entry_hash(walk->scratch, &stored->fields, last.data, out_hash);
    if (IS_E(error, TOO_LONG) ||
        !view_equal(stored->entry_hash, view_of(out_hash, AUDIT_HASH_BYTES))) {
        bad(walk, expected, "entry_hash is not the hash of its content");
        return OK;
    }
    TRY(error);
    *out_good = stored->fields.time_ms >= walk->time_ms ||
                bad(walk, expected, "its time is before the row before");
    return OK;
}

static ERRFN head_check(struct walk *walk, uint64_t seq, const uint8_t *hash, bool *out_good)
{
    *out_good = true;
    if (walk->have_head && walk->head_seq == seq) {
        if (memcmp(walk->head_hash, hash, AUDIT_HASH_BYTES) != 0) {
            *out_good = bad(walk, seq, "it is not the row that the audit key signed");
            return OK;
        }
        TRY(next_head(walk));
    }
    return OK;
}

static ERRFN step(struct walk *walk, bool *out_good)
{
    struct audit_stored stored;
    uint8_t hash[AUDIT_HASH_BYTES];
    TRY(audit_stored_read(walk->rows, &stored));
    TRY(row_check(walk, &stored, hash, out_good));
    if (*out_good) {
        TRY(head_check(walk, stored.fields.seq, hash, out_good));
    }
    if (*out_good) {
        memcpy(walk->verdict.last_hash, hash, sizeof hash);
        walk->verdict.last_seq = stored.fields.seq;
        walk->verdict.rows++;
        walk->time_ms = stored.fields.time_ms;
    }
    return OK;
}

static ERRFN walk_rows(struct walk *walk, uint64_t max_rows)
{
    bool more = false;
    bool good = true;
    TRY(rows_next(walk->rows, &more));
    while (more && good && walk->verdict.rows < max_rows) {
        TRY(step(walk, &good));
        if (good) {
            TRY(rows_next(walk->rows, &more));
        }
    }
    walk->verdict.complete = good && !more;
    if (walk->verdict.complete && walk->have_head) {
        bad(walk, walk->verdict.last_seq + 1,
            "it is missing, and so is all up to a row that the audit key signed");
    }
    return OK;
}

/* The row before the first one is taken as good. */
static ERRFN walk_start(struct db *db, struct walk *walk, uint64_t from_seq)
{
    walk->verdict.valid = true;
    walk->verdict.last_seq = from_seq - 1;
    if (from_seq == 1) {
        return audit_genesis(walk->verdict.last_hash);
    }
    AUTO(rows) rows = ROWS_NONE;
    bool found = false;
    TRY(rows_open(db, STATEMENT_AUDIT_HASH_AT, ARGS(NUMBER(from_seq - 1)), &rows));
    TRY(rows_next(&rows, &found));
    if (!found) {
        bad(walk, from_seq - 1, "it is missing");
        return OK;
    }
    rows_bytes(&rows, 0, walk->verdict.last_hash, AUDIT_HASH_BYTES);
    walk->time_ms = rows_number(&rows, 1);
    return rows_problem(&rows);
}

/* Heads are opened first: a writer may append meanwhile, and a head must not be newer than the
 * rows that are seen. */
ERRFN audit_verify(struct db *db, uint64_t from_seq, uint64_t max_rows,
                   struct audit_verdict *out_verdict)
{
    AUTO(buf) scratch = NULL;
    AUTO(rows) heads = ROWS_NONE;
    AUTO(rows) rows = ROWS_NONE;
    struct walk walk = {.rows = &rows, .heads = &heads};
    ENSURE(from_seq >= 1 && from_seq <= INT64_MAX && max_rows >= 1, FIELD_INVALID);
    TRY(buf_new(AUDIT_ENCODED_MAX_BYTES, &scratch));
    walk.scratch = scratch;
    TRY(rows_open(db, STATEMENT_HEADS_FROM, ARGS(NUMBER(from_seq)), &heads));
    TRY(next_head(&walk));
    TRY(walk_start(db, &walk, from_seq));
    if (walk.verdict.valid) {
        uint64_t limit =
            max_rows < INT64_MAX ? max_rows + 1 : INT64_MAX; /* one more tells the end */
        TRY(rows_open(db, STATEMENT_AUDIT_FORWARD, ARGS(NUMBER(from_seq - 1), NUMBER(limit)),
                      &rows));
        TRY(walk_rows(&walk, max_rows));
    }
    *out_verdict = walk.verdict;
    return OK;
}
