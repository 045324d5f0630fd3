#include "sql/statement.h"
#include "sql/tokens.h"

ERRFN vote_put(struct db *db, const struct vote *v)
{
    uint64_t changed = 0;
    TRY(statement_run(db, STATEMENT_VOTE_PUT,
                      ARGS(TEXT(v->machine_id), TEXT(v->issuer), TEXT(v->subject), TEXT(v->role),
                           TEXT(v->hostname), TEXT(v->assigned_ip), TEXT(v->cluster_id),
                           NUMBER(v->created_ms), NUMBER(v->expires_ms)),
                      &changed));
    ENSURE(changed == 1, DB_CONFLICT);
    return OK;
}

static ERRFN vote_read(struct rows *rows, struct vote *out_vote)
{
    struct vote v = {0};
    rows_text(rows, 0, v.machine_id, sizeof v.machine_id);
    rows_text(rows, 1, v.issuer, sizeof v.issuer);
    rows_text(rows, 2, v.subject, sizeof v.subject);
    rows_text(rows, 3, v.role, sizeof v.role);
    rows_text(rows, 4, v.hostname, sizeof v.hostname);
    rows_text(rows, 5, v.assigned_ip, sizeof v.assigned_ip);
    rows_text(rows, 6, v.cluster_id, sizeof v.cluster_id);
    v.created_ms = rows_number(rows, 7);
    v.expires_ms = rows_number(rows, 8);
    v.consumed_ms = rows_number(rows, 9);
    TRY(rows_problem(rows));
    *out_vote = v;
    return OK;
}

/* The statement's own limit keeps the count below VOTES_LISTED_MAX. */
static ERRFN votes_read(struct rows *rows, struct vote *out_votes, size_t *out_count)
{
    size_t count = 0;
    bool more = false;
    TRY(rows_next(rows, &more));
    while (more && count < VOTES_LISTED_MAX) {
        TRY(vote_read(rows, &out_votes[count++]));
        TRY(rows_next(rows, &more));
    }
    *out_count = count;
    return OK;
}

ERRFN vote_list(struct db *db, const char *machine_id, uint64_t now_ms,
                struct vote out_votes[static VOTES_LISTED_MAX], size_t *out_count)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_VOTE_LIST,
                  ARGS(TEXT(machine_id), NUMBER(now_ms), NUMBER(VOTES_LISTED_MAX)), &rows));
    return votes_read(&rows, out_votes, out_count);
}

ERRFN vote_history(struct db *db, const char *machine_id,
                   struct vote out_votes[static VOTES_LISTED_MAX], size_t *out_count)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_VOTE_HISTORY, ARGS(TEXT(machine_id), NUMBER(VOTES_LISTED_MAX)),
                  &rows));
    return votes_read(&rows, out_votes, out_count);
}

ERRFN vote_consume(struct db *db, const char *machine_id, uint64_t now_ms)
{
    return statement_run(db, STATEMENT_VOTE_CONSUME, ARGS(TEXT(machine_id), NUMBER(now_ms)), NULL);
}

ERRFN vote_kill(struct db *db, const char *machine_id)
{
    return statement_run(db, STATEMENT_VOTE_KILL, ARGS(TEXT(machine_id)), NULL);
}
