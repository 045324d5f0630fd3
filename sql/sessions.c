#include "sql/proof.h"
#include "sql/statement.h"

ERRFN session_put(struct db *db, const struct session *s)
{
    ENSURE(s->ak_name_len <= sizeof s->ak_name, TOO_LONG);
    ENSURE(s->ak_public_len <= sizeof s->ak_public, TOO_LONG);
    ENSURE(s->ek_public_len <= sizeof s->ek_public, TOO_LONG);
    return statement_run(
        db, STATEMENT_SESSION_PUT,
        ARGS(BYTES(s->id, sizeof s->id), BYTES(s->nonce_id, sizeof s->nonce_id),
             BYTES(s->nonce, sizeof s->nonce), HEX(s->ek_fingerprint, EK_FINGERPRINT_BYTES),
             BYTES(s->ak_name, s->ak_name_len), BYTES(s->ak_public, s->ak_public_len),
             BYTES(s->ek_public, s->ek_public_len),
             BYTES(s->secret_sha384, sizeof s->secret_sha384), NUMBER(s->created_ms),
             NUMBER(s->expires_ms), TEXT(s->source_ip)),
        NULL);
}

static ERRFN session_read(struct rows *rows, struct session *out_session)
{
    struct session s = {0};
    rows_bytes(rows, 0, s.id, sizeof s.id);
    rows_bytes(rows, 1, s.nonce_id, sizeof s.nonce_id);
    rows_bytes(rows, 2, s.nonce, sizeof s.nonce);
    rows_hex(rows, 3, s.ek_fingerprint, EK_FINGERPRINT_BYTES);
    rows_bytes_up_to(rows, 4, s.ak_name, sizeof s.ak_name, &s.ak_name_len);
    rows_bytes_up_to(rows, 5, s.ak_public, sizeof s.ak_public, &s.ak_public_len);
    rows_bytes_up_to(rows, 6, s.ek_public, sizeof s.ek_public, &s.ek_public_len);
    rows_bytes(rows, 7, s.secret_sha384, sizeof s.secret_sha384);
    s.created_ms = rows_number(rows, 8);
    s.expires_ms = rows_number(rows, 9);
    rows_text(rows, 10, s.source_ip, sizeof s.source_ip);
    TRY(rows_problem(rows));
    *out_session = s;
    return OK;
}

/* Why a session could not be taken. */
static ERRFN session_refusal(struct db *db, const uint8_t *id, uint64_t now_ms)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, STATEMENT_SESSION_LIVE, ARGS(BYTES(id, PROOF_ID_BYTES), NUMBER(now_ms)),
                  &rows));
    TRY(rows_one(&rows, E(SESSION_UNKNOWN)));
    return E(SESSION_USED);
}

ERRFN session_take(struct db *db, const uint8_t id[static PROOF_ID_BYTES], uint64_t now_ms,
                   struct session *out_session)
{
    AUTO(rows) rows = ROWS_NONE;
    bool taken = false;
    TRY(rows_open(db, STATEMENT_SESSION_TAKE, ARGS(BYTES(id, PROOF_ID_BYTES), NUMBER(now_ms)),
                  &rows));
    TRY(rows_next(&rows, &taken));
    if (!taken) {
        return session_refusal(db, id, now_ms);
    }
    return session_read(&rows, out_session);
}

ERRFN session_last_created(struct db *db, const char *ek_fingerprint, uint64_t *out_created_ms)
{
    AUTO(rows) rows = ROWS_NONE;
    bool found = false;
    TRY(rows_open(db, STATEMENT_SESSION_LAST_CREATED,
                  ARGS(HEX(ek_fingerprint, EK_FINGERPRINT_BYTES)), &rows));
    TRY(rows_next(&rows, &found));
    uint64_t created_ms = found ? rows_number(&rows, 0) : 0;
    TRY(rows_problem(&rows));
    *out_created_ms = created_ms;
    return OK;
}

ERRFN session_count(struct db *db, uint64_t *out_count)
{
    return tally_read(db, "session", out_count);
}
