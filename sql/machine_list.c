#include <stdio.h>

#include "sql/machine_row.h"

static ERRFN ordinal_of(struct db *db, const char *machine_id, uint64_t *out_ordinal)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_MACHINE_ORDINAL, ARGS(TEXT(machine_id)), &rows));
    TRY(rows_one(&rows, E(MACHINE_UNKNOWN)));
    *out_ordinal = rows_number(&rows, 0);
    return rows_problem(&rows);
}

static ERRFN list_open(struct db *db, const struct machine_filter *filter, uint64_t after,
                       uint32_t limit, struct rows *out_rows)
{
    bool by_status = filter->status != MACHINE_NONE;
    bool by_role = filter->role && filter->role[0] != '\0';
    if (by_status && by_role) {
        return rows_open(
            db, STATEMENT_MACHINE_LIST_STATUS_ROLE,
            ARGS(NUMBER(after), NUMBER(limit), NUMBER(filter->status), TEXT(filter->role)),
            out_rows);
    }
    if (by_status) {
        return rows_open(db, STATEMENT_MACHINE_LIST_STATUS,
                         ARGS(NUMBER(after), NUMBER(limit), NUMBER(filter->status)), out_rows);
    }
    if (by_role) {
        return rows_open(db, STATEMENT_MACHINE_LIST_ROLE,
                         ARGS(NUMBER(after), NUMBER(limit), TEXT(filter->role)), out_rows);
    }
    return rows_open(db, STATEMENT_MACHINE_LIST, ARGS(NUMBER(after), NUMBER(limit)), out_rows);
}

ERRFN machine_list(struct db *db, const struct machine_filter *filter, const char *after,
                   uint32_t limit, machine_each each, void *context)
{
    AUTO(rows) rows = ROWS_NONE;
    uint64_t ordinal = 0;
    bool more = false;
    if (after[0] != '\0') {
        TRY(ordinal_of(db, after, &ordinal));
    }
    TRY(list_open(db, filter, ordinal, limit, &rows));
    TRY(rows_next(&rows, &more));
    while (more) {
        struct machine machine;
        TRY(machine_row_read(&rows, &machine));
        TRY(each(context, &machine));
        TRY(rows_next(&rows, &more));
    }
    return OK;
}

ERRFN machine_count(struct db *db, enum machine_status status, uint64_t *out_count)
{
    char name[32];
    snprintf(name, sizeof name, "machine_%d", (int)status);
    return tally_read(db, name, out_count);
}

ERRFN machine_count_pending(struct db *db, uint64_t *out_count)
{
    return machine_count(db, MACHINE_PENDING_APPROVAL, out_count);
}
