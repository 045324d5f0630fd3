#include "sql/proof.h"
#include "sql/statement.h"

ERRFN ak_activate(struct db *db, const struct ak_record *ak)
{
    uint64_t changed = 0;
    ENSURE(ak->name_len <= sizeof ak->name, TOO_LONG);
    ENSURE(ak->public_len <= sizeof ak->public_area, TOO_LONG);
    TRY(statement_run(db, STATEMENT_AK_ACTIVATE_AGAIN,
                      ARGS(HEX(ak->ek_fingerprint, EK_FINGERPRINT_BYTES), TEXT(ak->machine_id),
                           BYTES(ak->name, ak->name_len), NUMBER(ak->activated_ms)),
                      &changed));
    if (changed == 1) {
        return OK; /* a name is a digest of all the rest */
    }
    TRY(statement_run(db, STATEMENT_AK_ACTIVATE,
                      ARGS(HEX(ak->ek_fingerprint, EK_FINGERPRINT_BYTES), TEXT(ak->machine_id),
                           BYTES(ak->name, ak->name_len), BYTES(ak->public_area, ak->public_len),
                           TEXT(ak->key_name), NUMBER(ak->activated_ms)),
                      &changed));
    ENSURE(changed == 1, MACHINE_UNKNOWN);
    return OK;
}

ERRFN ak_get(struct db *db, const char *ek_fingerprint, struct ak_record *out_ak)
{
    AUTO(rows) rows = ROWS_NONE;
    struct ak_record ak = {0};
    TRY(rows_open(db, STATEMENT_AK_GET, ARGS(HEX(ek_fingerprint, EK_FINGERPRINT_BYTES)), &rows));
    TRY(rows_one(&rows, E(AK_UNKNOWN)));
    rows_hex(&rows, 0, ak.ek_fingerprint, EK_FINGERPRINT_BYTES);
    rows_text(&rows, 1, ak.machine_id, sizeof ak.machine_id);
    rows_bytes_up_to(&rows, 2, ak.name, sizeof ak.name, &ak.name_len);
    rows_bytes_up_to(&rows, 3, ak.public_area, sizeof ak.public_area, &ak.public_len);
    rows_text(&rows, 4, ak.key_name, sizeof ak.key_name);
    ak.activated_ms = rows_number(&rows, 5);
    TRY(rows_problem(&rows));
    *out_ak = ak;
    return OK;
}

ERRFN ak_holders(struct db *db, struct view name,
                 struct ak_holder out_holders[static AK_HOLDERS_MAX], size_t *out_count)
{
    AUTO(rows) rows = ROWS_NONE;
    size_t count = 0;
    bool more = false;
    ENSURE(name.len <= PROOF_AK_NAME_MAX_BYTES, TOO_LONG);
    TRY(rows_open(db, STATEMENT_AK_HOLDERS, ARGS(VIEW(name), NUMBER(AK_HOLDERS_MAX)), &rows));
    TRY(rows_next(&rows, &more));
    while (more) {
        struct ak_holder *holder = &out_holders[count++];
        rows_hex(&rows, 0, holder->ek_fingerprint, EK_FINGERPRINT_BYTES);
        rows_text(&rows, 1, holder->machine_id, sizeof holder->machine_id);
        TRY(rows_problem(&rows));
        TRY(rows_next(&rows, &more));
    }
    *out_count = count;
    return OK;
}
