#include "sql/policies.h"

#include <string.h>

#include "sql/machines.h"
#include "sql/statement.h"

static ERRFN read_row(struct rows *rows, struct stored_policy *out_policy)
{
    struct stored_policy p = {0};
    p.number = rows_number(rows, 0);
    rows_text(rows, 1, p.name, sizeof p.name);
    p.version = (uint32_t)rows_number(rows, 2);
    rows_bytes(rows, 3, p.sha384, sizeof p.sha384);
    rows_text(rows, 4, p.author, sizeof p.author);
    rows_text(rows, 5, p.comment, sizeof p.comment);
    p.created_ms = rows_number(rows, 6);
    p.activated_ms = rows_number(rows, 7);
    p.active = rows_number(rows, 8) != 0;
    TRY(rows_problem(rows));
    *out_policy = p;
    return OK;
}

static ERRFN number_of(struct db *db, enum statement id, const struct arg *args, size_t count,
                       uint64_t *out_number)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, id, args, count, &rows));
    TRY(rows_one(&rows, E(POLICY_VERSION)));
    *out_number = rows_number(&rows, 0);
    return rows_problem(&rows);
}

static ERRFN check_room(struct db *db)
{
    uint64_t stored = 0;
    TRY(tally_read(db, "policy", &stored));
    ENSURE(stored < POLICIES_MAX, POLICY_LIMIT);
    return OK;
}

ERRFN policy_store_put(struct db *db, const struct stored_policy *p, struct view text,
                       uint64_t *out_number)
{
    ENSURE(text.len <= POLICY_TEXT_MAX_BYTES, TOO_LONG);
    uint64_t known = 0;
    err_t found = number_of(db, STATEMENT_POLICY_BY_DIGEST, ARGS(BYTES(p->sha384, sizeof p->sha384)), &known);
    if (IS_OK(found)) {
        *out_number = known;
        return E(DB_CONFLICT);
    }
    ENSURE(IS_E(found, POLICY_VERSION), DB_FAILED);
    TRY(check_room(db));
    TRY(statement_run(db, STATEMENT_POLICY_PUT,
                      ARGS(TEXT(p->name), NUMBER(p->version), BYTES(p->sha384, sizeof p->sha384),
                           TEXT(p->author), TEXT(p->comment), NUMBER(p->created_ms), VIEW(text)),
                      NULL));
    return number_of(db, STATEMENT_POLICY_BY_DIGEST, ARGS(BYTES(p->sha384, sizeof p->sha384)), out_number);
}

static ERRFN read_with_text(struct db *db, enum statement id, const struct arg *args, size_t count,
                            struct stored_policy *out_policy, struct buf *out_text)
{
    AUTO(rows) rows = ROWS_NONE;
    struct stored_policy p;
    TRY(rows_open(db, id, args, count, &rows));
    TRY(rows_one(&rows, E(POLICY_VERSION)));
    TRY(read_row(&rows, &p));
    struct view text = rows_bytes_view(&rows, 9);
    TRY(rows_problem(&rows));
    TRY(buf_put(out_text, text));
    *out_policy = p;
    return OK;
}

ERRFN policy_store_get(struct db *db, uint64_t number, struct stored_policy *out_policy,
                       struct buf *out_text)
{
    return read_with_text(db, STATEMENT_POLICY_GET, ARGS(NUMBER(number)), out_policy, out_text);
}

ERRFN policy_store_active(struct db *db, struct stored_policy *out_policy, struct buf *out_text)
{
    return read_with_text(db, STATEMENT_POLICY_ACTIVE, NO_ARGS, out_policy, out_text);
}

ERRFN policy_store_previous(struct db *db, uint64_t *out_number)
{
    return number_of(db, STATEMENT_POLICY_PREVIOUS, NO_ARGS, out_number);
}

ERRFN policy_store_activate(struct db *db, uint64_t number, uint64_t now_ms)
{
    uint64_t known = 0;
    uint64_t active = 0;
    TRY(number_of(db, STATEMENT_POLICY_EXISTS, ARGS(NUMBER(number)), &known));
    err_t found = number_of(db, STATEMENT_POLICY_ACTIVE_NUMBER, NO_ARGS, &active);
    ENSURE(IS_OK(found) || IS_E(found, POLICY_VERSION), DB_FAILED);
    ENSURE(!IS_OK(found) || active != number, DB_CONFLICT);
    return statement_run(db, STATEMENT_POLICY_ACTIVATE, ARGS(NUMBER(number), NUMBER(now_ms)), NULL);
}

ERRFN policy_store_list(struct db *db, uint64_t before, uint32_t limit, policy_each each,
                        void *context)
{
    AUTO(rows) rows = ROWS_NONE;
    uint64_t below = before > 0 && before < INT64_MAX ? before : INT64_MAX;
    TRY(rows_open(db, STATEMENT_POLICY_LIST, ARGS(NUMBER(below), NUMBER(limit)), &rows));
    for (;;) {
        bool more = false;
        struct stored_policy policy;
        TRY(rows_next(&rows, &more));
        if (!more) {
            return OK;
        }
        TRY(read_row(&rows, &policy));
        TRY(each(context, &policy));
    }
}

ERRFN spent_exception_put(struct db *db, const char *machine_id, const char *rule,
                          uint64_t expires_ms, uint64_t now_ms)
{
    struct machine machine;
    TRY(machine_by_id(db, machine_id, &machine));
    return statement_run(
        db, STATEMENT_POLICY_EXCEPTION_USE,
        ARGS(TEXT(machine_id), TEXT(rule), NUMBER(expires_ms), NUMBER(now_ms)), NULL);
}

ERRFN spent_exception_list(struct db *db, const char *machine_id, uint64_t now_ms,
                           struct spent_exception out_list[static SPENT_LISTED_MAX],
                           size_t *out_count)
{
    AUTO(rows) rows = ROWS_NONE;
    size_t count = 0;
    TRY(rows_open(db, STATEMENT_POLICY_EXCEPTIONS_USED,
                  ARGS(TEXT(machine_id), NUMBER(now_ms), NUMBER(SPENT_LISTED_MAX + 1)), &rows));
    for (;;) {
        bool more = false;
        TRY(rows_next(&rows, &more));
        if (!more) {
            break;
        }
        ENSURE(count < SPENT_LISTED_MAX, TOO_LONG);
        rows_text(&rows, 0, out_list[count].rule, sizeof out_list[count].rule);
        out_list[count++].expires_ms = rows_number(&rows, 1);
    }
    TRY(rows_problem(&rows));
    *out_count = count;
    return OK;
}
