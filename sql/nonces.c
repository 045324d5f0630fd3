#include "sql/proof.h"
#include "sql/statement.h"

ERRFN nonce_put(struct db *db, const uint8_t id[static PROOF_ID_BYTES],
                const uint8_t nonce[static PROOF_NONCE_BYTES], uint64_t expires_ms)
{
    return statement_run(
        db, STATEMENT_NONCE_PUT,
        ARGS(BYTES(id, PROOF_ID_BYTES), BYTES(nonce, PROOF_NONCE_BYTES), NUMBER(expires_ms)), NULL);
}

/* Why a nonce could not be taken. */
static ERRFN nonce_refusal(struct db *db, const uint8_t *id)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_NONCE_GET, ARGS(BYTES(id, PROOF_ID_BYTES)), &rows));
    TRY(rows_one(&rows, E(NONCE_UNKNOWN)));
    uint64_t used_ms = rows_number(&rows, 0);
    TRY(rows_problem(&rows));
    return used_ms != 0 ? E(NONCE_USED) : E(NONCE_EXPIRED);
}

ERRFN nonce_take(struct db *db, const uint8_t id[static PROOF_ID_BYTES], uint64_t now_ms,
                 uint8_t out_nonce[static PROOF_NONCE_BYTES])
{
    AUTO(rows) rows = ROWS_NONE;
    bool taken = false;
    TRY(rows_open(db, STATEMENT_NONCE_TAKE, ARGS(BYTES(id, PROOF_ID_BYTES), NUMBER(now_ms)),
                  &rows));
    TRY(rows_next(&rows, &taken));
    if (!taken) {
        return nonce_refusal(db, id);
    }
    rows_bytes(&rows, 0, out_nonce, PROOF_NONCE_BYTES);
    return rows_problem(&rows);
}

ERRFN nonce_count(struct db *db, uint64_t *out_count)
{
    return tally_read(db, "nonce", out_count);
}
