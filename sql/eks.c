#include "sql/machine_row.h"

#include <string.h>

static ERRFN ek_check(const struct ek_record *ek)
{
    ENSURE(ek->certificate.len <= EK_RECORD_MAX_BYTES, TOO_LONG);
    ENSURE(ek->spki.len <= EK_RECORD_MAX_BYTES, TOO_LONG);
    ENSURE(ek->public_area.len <= EK_RECORD_MAX_BYTES, TOO_LONG);
    return OK;
}

static ERRFN ek_material_put(struct db *db, const struct ek_record *ek)
{
    return statement_run(db, STATEMENT_EK_MATERIAL_PUT,
                         ARGS(HEX(ek->fingerprint, EK_FINGERPRINT_BYTES), VIEW(ek->certificate),
                              VIEW(ek->spki), VIEW(ek->public_area)),
                         NULL);
}

ERRFN ek_insert(struct db *db, const char *machine_id, const struct ek_record *ek)
{
    TRY(ek_check(ek));
    TRY(statement_run(db, STATEMENT_EK_INSERT,
                      ARGS(HEX(ek->fingerprint, EK_FINGERPRINT_BYTES), TEXT(machine_id),
                           NUMBER(ek->source), NUMBER(ek->key_type), NUMBER(ek->since_ms)),
                      NULL));
    return ek_material_put(db, ek);
}

ERRFN ek_put(struct db *db, const struct ek_record *ek)
{
    uint64_t changed = 0;
    TRY(ek_check(ek));
    TRY(statement_run(db, STATEMENT_EK_PUT,
                      ARGS(HEX(ek->fingerprint, EK_FINGERPRINT_BYTES), TEXT(ek->machine_id),
                           NUMBER(ek->source), NUMBER(ek->key_type), NUMBER(ek->since_ms)),
                      &changed));
    ENSURE(changed == 1, DB_CONFLICT);
    return ek_material_put(db, ek);
}

ERRFN ek_get(struct db *db, const char *fingerprint, struct buf *storage, struct ek_record *out_ek)
{
    AUTO(rows) rows = ROWS_NONE;
    struct ek_record ek = {0};
    struct view parts[3];
    TRY(rows_open(db, STATEMENT_EK_GET, ARGS(HEX(fingerprint, EK_FINGERPRINT_BYTES)), &rows));
    TRY(rows_one(&rows, E(MACHINE_UNKNOWN)));
    rows_hex(&rows, 0, ek.fingerprint, EK_FINGERPRINT_BYTES);
    rows_text(&rows, 1, ek.machine_id, sizeof ek.machine_id);
    ek.source = rows_int(&rows, 2);
    ek.key_type = rows_int(&rows, 3);
    ek.since_ms = rows_number(&rows, 4);
    TRY(rows_store(&rows, 5, 3, storage, parts));
    ek.certificate = parts[0];
    ek.spki = parts[1];
    ek.public_area = parts[2];
    *out_ek = ek;
    return OK;
}

ERRFN ek_list(struct db *db, const char *machine_id,
              struct ek_summary out_eks[static MACHINE_EKS_MAX], size_t *out_count)
{
    AUTO(rows) rows = ROWS_NONE;
    struct ek_summary eks[MACHINE_EKS_MAX] = {0};
    size_t count = 0;
    bool more = false;
    TRY(rows_open(db, STATEMENT_EK_LIST, ARGS(TEXT(machine_id), NUMBER(MACHINE_EKS_MAX)), &rows));
    TRY(rows_next(&rows, &more));
    while (more) {
        struct ek_summary *ek = &eks[count++];
        rows_hex(&rows, 0, ek->fingerprint, EK_FINGERPRINT_BYTES);
        ek->source = rows_int(&rows, 1);
        ek->key_type = rows_int(&rows, 2);
        ek->since_ms = rows_number(&rows, 3);
        TRY(rows_problem(&rows));
        TRY(rows_next(&rows, &more));
    }
    memcpy(out_eks, eks, sizeof eks);
    *out_count = count;
    return OK;
}
