#include "sql/proof.h"
#include "sql/statement.h"

ERRFN ak_activate(struct db *db, const struct ak_record *ak)
{
    uint64_t changed = 0;
    ENSURE(ak->name_len <= sizeof ak->name, TOO_LONG);
    ENSURE(ak->public_len <= sizeof ak->public_area, TOO_LONG);
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
