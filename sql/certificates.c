#include "sql/certificates.h"

#include "sql/statement.h"

#define SERIAL(bytes_) BYTES(bytes_, CERTIFICATE_SERIAL_BYTES)

ERRFN certificate_put(struct db *db, const struct certificate *c)
{
    return statement_run(db, STATEMENT_CERTIFICATE_PUT,
                         ARGS(SERIAL(c->serial), TEXT(c->machine_id), NUMBER(c->kind),
                              BYTES(c->sha256, sizeof c->sha256), TEXT(c->name), TEXT(c->role),
                              NUMBER(c->not_before_ms), NUMBER(c->not_after_ms)),
                         NULL);
}

static ERRFN certificate_read(struct rows *rows, struct certificate *out_certificate)
{
    struct certificate c = {0};
    rows_bytes(rows, 0, c.serial, sizeof c.serial);
    rows_text(rows, 1, c.machine_id, sizeof c.machine_id);
    c.kind = rows_int(rows, 2);
    rows_bytes(rows, 3, c.sha256, sizeof c.sha256);
    rows_text(rows, 4, c.name, sizeof c.name);
    rows_text(rows, 5, c.role, sizeof c.role);
    c.not_before_ms = rows_number(rows, 6);
    c.not_after_ms = rows_number(rows, 7);
    c.revoked_ms = rows_number(rows, 8);
    c.revoked_reason = rows_int(rows, 9);
    TRY(rows_problem(rows));
    *out_certificate = c;
    return OK;
}

ERRFN certificate_get(struct db *db, const uint8_t serial[static CERTIFICATE_SERIAL_BYTES],
                      struct certificate *out_certificate)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_CERTIFICATE_GET, ARGS(SERIAL(serial)), &rows));
    TRY(rows_one(&rows, E(CERTIFICATE_UNKNOWN)));
    return certificate_read(&rows, out_certificate);
}

static ERRFN read_number(struct db *db, enum statement id, const struct arg *args, size_t count,
                         err_t none, uint64_t *out_number)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, id, args, count, &rows));
    TRY(rows_one(&rows, none));
    uint64_t number = rows_number(&rows, 0);
    TRY(rows_problem(&rows));
    *out_number = number;
    return OK;
}

ERRFN certificate_count_live(struct db *db, const char *machine_id, enum certificate_kind kind,
                             uint64_t now_ms, uint64_t *out_count)
{
    return read_number(db, STATEMENT_CERTIFICATE_COUNT_LIVE,
                       ARGS(TEXT(machine_id), NUMBER(kind), NUMBER(now_ms)), E(BUG), out_count);
}

static ERRFN read_each(struct rows *rows, certificate_each each, void *context)
{
    bool more = false;
    TRY(rows_next(rows, &more));
    while (more) {
        struct certificate certificate;
        TRY(certificate_read(rows, &certificate));
        TRY(each(context, &certificate));
        TRY(rows_next(rows, &more));
    }
    return OK;
}

ERRFN certificate_list(struct db *db, const char *machine_id, const uint8_t *after, uint32_t limit,
                       certificate_each each, void *context)
{
    AUTO(rows) rows = ROWS_NONE;
    uint64_t ordinal = 0;
    if (after) {
        TRY(read_number(db, STATEMENT_CERTIFICATE_ORDINAL, ARGS(SERIAL(after)),
                        E(CERTIFICATE_UNKNOWN), &ordinal));
    }
    if (machine_id && machine_id[0]) {
        TRY(rows_open(db, STATEMENT_CERTIFICATE_LIST_MACHINE,
                      ARGS(NUMBER(ordinal), NUMBER(limit), TEXT(machine_id)), &rows));
    } else {
        TRY(rows_open(db, STATEMENT_CERTIFICATE_LIST, ARGS(NUMBER(ordinal), NUMBER(limit)), &rows));
    }
    return read_each(&rows, each, context);
}

/* -- revocation -------------------------------------------------------------------------------- */

ERRFN certificate_revoke(struct db *db, const uint8_t serial[static CERTIFICATE_SERIAL_BYTES],
                         uint64_t now_ms, enum certificate_reason reason)
{
    uint64_t changed = 0;
    struct certificate known;
    TRY(statement_run(db, STATEMENT_CERTIFICATE_REVOKE,
                      ARGS(SERIAL(serial), NUMBER(now_ms), NUMBER(reason)), &changed));
    if (changed == 1) {
        return OK;
    }
    TRY(certificate_get(db, serial, &known));
    return E(CERTIFICATE_REVOKED);
}

ERRFN certificate_revoke_machine(struct db *db, const char *machine_id, uint64_t now_ms,
                                 enum certificate_reason reason)
{
    return statement_run(db, STATEMENT_CERTIFICATE_REVOKE_MACHINE,
                         ARGS(TEXT(machine_id), NUMBER(now_ms), NUMBER(reason)), NULL);
}

ERRFN certificate_revoke_kind(struct db *db, const char *machine_id, enum certificate_kind kind,
                              uint64_t now_ms, enum certificate_reason reason)
{
    return statement_run(db, STATEMENT_CERTIFICATE_REVOKE_KIND,
                         ARGS(TEXT(machine_id), NUMBER(now_ms), NUMBER(reason), NUMBER(kind)),
                         NULL);
}

ERRFN certificate_release_machine(struct db *db, const char *machine_id)
{
    return statement_run(db, STATEMENT_CERTIFICATE_RELEASE, ARGS(TEXT(machine_id)), NULL);
}

ERRFN certificate_list_revoked(struct db *db, uint64_t since_ms, uint32_t limit,
                               certificate_each each, void *context)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_CERTIFICATE_REVOKED, ARGS(NUMBER(since_ms), NUMBER(limit)), &rows));
    return read_each(&rows, each, context);
}

ERRFN certificate_count_revocations(struct db *db, uint64_t *out_count)
{
    return tally_read(db, "revocation", out_count);
}

ERRFN revocation_list_put(struct db *db, const struct revocation_list *list)
{
    uint64_t changed = 0;
    ENSURE(list->der.len <= REVOCATION_LIST_MAX_BYTES, TOO_LONG);
    TRY(statement_run(db, STATEMENT_REVOCATION_LIST_PUT,
                      ARGS(NUMBER(list->number), NUMBER(list->made_ms), NUMBER(list->next_ms),
                           NUMBER(list->revocations), VIEW(list->der)),
                      &changed));
    ENSURE(changed == 1, DB_CONFLICT);
    return OK;
}

ERRFN revocation_list_get(struct db *db, struct buf *storage, struct revocation_list *out_list)
{
    AUTO(rows) rows = ROWS_NONE;
    struct revocation_list list = {0};
    TRY(rows_open(db, STATEMENT_REVOCATION_LIST_GET, NO_ARGS, &rows));
    TRY(rows_one(&rows, E(NOT_FOUND)));
    list.number = rows_number(&rows, 0);
    list.made_ms = rows_number(&rows, 1);
    list.next_ms = rows_number(&rows, 2);
    list.revocations = rows_number(&rows, 3);
    TRY(rows_store(&rows, 4, 1, storage, &list.der));
    TRY(rows_problem(&rows));
    *out_list = list;
    return OK;
}
