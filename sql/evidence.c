#include "sql/proof.h"

#include <stdio.h>

#include "sql/statement.h"

_Static_assert(EVIDENCE_KEPT == 16, "the ring of the statements and of migration 1");

/* The next slot of the machine's ring. */
static ERRFN take_slot(struct db *db, const char *machine_id, uint64_t *out_slot)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_EVIDENCE_SLOT, ARGS(TEXT(machine_id)), &rows));
    TRY(rows_one(&rows, E(MACHINE_UNKNOWN)));
    *out_slot = rows_number(&rows, 0);
    return rows_problem(&rows);
}

ERRFN evidence_put(struct db *db, const struct evidence_record *e)
{
    uint64_t slot = 0;
    ENSURE(e->quote.len <= EVIDENCE_PART_MAX_BYTES, TOO_LONG);
    ENSURE(e->signature.len <= EVIDENCE_PART_MAX_BYTES, TOO_LONG);
    ENSURE(e->pcr_values.len <= EVIDENCE_PART_MAX_BYTES, TOO_LONG);
    ENSURE(e->event_log_sha384.len <= EVIDENCE_PART_MAX_BYTES, TOO_LONG);
    ENSURE(e->ek_fingerprint.len <= EVIDENCE_PART_MAX_BYTES, TOO_LONG);
    TRY(take_slot(db, e->machine_id, &slot));
    return statement_run(db, STATEMENT_EVIDENCE_PUT,
                         ARGS(NUMBER(slot), NUMBER(e->time_ms), VIEW(e->quote), VIEW(e->signature),
                              VIEW(e->pcr_values), NUMBER(e->clock), NUMBER(e->reset_count),
                              NUMBER(e->restart_count), NUMBER(e->firmware_version),
                              NUMBER(e->verdict), TEXT(e->reason), NUMBER(e->chain),
                              NUMBER(e->replay), NUMBER(e->policy_number),
                              VIEW(e->event_log_sha384), VIEW(e->ek_fingerprint)),
                         NULL);
}

/* The columns behind the five views. */
static void read_numbers(struct rows *rows, struct evidence_record *e)
{
    e->clock = rows_number(rows, 6);
    e->reset_count = (uint32_t)rows_number(rows, 7);
    e->restart_count = (uint32_t)rows_number(rows, 8);
    e->firmware_version = rows_number(rows, 9);
    e->verdict = rows_int(rows, 10);
    rows_text(rows, 11, e->reason, sizeof e->reason);
    e->chain = rows_int(rows, 12);
    e->replay = rows_int(rows, 13);
    e->policy_number = rows_number(rows, 14);
}

ERRFN evidence_get(struct db *db, const char *machine_id, uint32_t back, struct buf *storage,
                   struct evidence_record *out_evidence)
{
    AUTO(rows) rows = ROWS_NONE;
    struct evidence_record e = {0};
    struct view parts[5];
    ENSURE(back < EVIDENCE_KEPT, NOT_FOUND);
    TRY(rows_open(db, STATEMENT_EVIDENCE_BACK, ARGS(TEXT(machine_id), NUMBER(back)), &rows));
    TRY(rows_one(&rows, E(NOT_FOUND)));
    snprintf(e.machine_id, sizeof e.machine_id, "%s", machine_id);
    e.time_ms = rows_number(&rows, 0);
    read_numbers(&rows, &e);
    TRY(rows_store(&rows, 1, 5, storage, parts));
    TRY(rows_problem(&rows));
    e.quote = parts[0];
    e.signature = parts[1];
    e.pcr_values = parts[2];
    e.event_log_sha384 = parts[3];
    e.ek_fingerprint = parts[4];
    *out_evidence = e;
    return OK;
}
