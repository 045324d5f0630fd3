#include <string.h>

#include "crypto/digest.h"
#include "sql/statement.h"
#include "sql/tokens.h"

ERRFN operator_credential_put(struct db *db, const struct operator_credential *c)
{
    uint8_t key_id[KEY_ID_BYTES];
    ENSURE(c->public_key_len <= sizeof c->public_key, TOO_LONG);
    TRY(sha256(view_of(c->public_key, c->public_key_len), key_id));
    struct arg key = BYTES(key_id, sizeof key_id);
    if (c->public_key_len == 0) {
        key = (struct arg){.kind = ARG_NULL}; /* a token alone; NULL is not equal to another NULL */
    }
    return statement_run(db, STATEMENT_CREDENTIAL_PUT,
                         ARGS(TEXT(c->id), NUMBER(c->kind),
                              BYTES(c->token_sha384, sizeof c->token_sha384), key,
                              BYTES(c->public_key, c->public_key_len), TEXT(c->subject),
                              TEXT(c->reason), NUMBER(c->opened_ms), NUMBER(c->expires_ms)),
                         NULL);
}

static ERRFN credential_read(struct rows *rows, struct operator_credential *out_credential)
{
    struct operator_credential c = {0};
    rows_text(rows, 0, c.id, sizeof c.id);
    c.kind = rows_int(rows, 1);
    rows_bytes(rows, 2, c.token_sha384, sizeof c.token_sha384);
    rows_bytes_up_to(rows, 4, c.public_key, sizeof c.public_key, &c.public_key_len);
    if (c.public_key_len > 0) {
        rows_bytes(rows, 3, c.key_id, sizeof c.key_id);
    }
    rows_text(rows, 5, c.subject, sizeof c.subject);
    rows_text(rows, 6, c.reason, sizeof c.reason);
    c.opened_ms = rows_number(rows, 7);
    c.expires_ms = rows_number(rows, 8);
    c.closed_ms = rows_number(rows, 9);
    TRY(rows_problem(rows));
    *out_credential = c;
    return OK;
}

static ERRFN credential_by(struct db *db, enum statement id, struct arg name, uint64_t now_ms,
                           struct operator_credential *out_credential)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, id, ARGS(name, NUMBER(now_ms)), &rows));
    TRY(rows_one(&rows, E(AUTH_INVALID)));
    return credential_read(&rows, out_credential);
}

ERRFN operator_credential_by_token(struct db *db,
                                   const uint8_t token_sha384[static TOKEN_HASH_BYTES],
                                   uint64_t now_ms, struct operator_credential *out_credential)
{
    return credential_by(db, STATEMENT_CREDENTIAL_BY_TOKEN, BYTES(token_sha384, TOKEN_HASH_BYTES),
                         now_ms, out_credential);
}

ERRFN operator_credential_by_key_id(struct db *db, const uint8_t key_id[static KEY_ID_BYTES],
                                    uint64_t now_ms, struct operator_credential *out_credential)
{
    return credential_by(db, STATEMENT_CREDENTIAL_BY_KEY_ID, BYTES(key_id, KEY_ID_BYTES), now_ms,
                         out_credential);
}

ERRFN operator_credential_close_all(struct db *db, uint64_t now_ms, uint64_t *out_closed)
{
    return statement_run(db, STATEMENT_CREDENTIAL_CLOSE_ALL, ARGS(NUMBER(now_ms)), out_closed);
}

ERRFN operator_credential_list_open(
    struct db *db, uint64_t now_ms,
    struct operator_credential out_list[static OPERATOR_CREDENTIALS_LISTED_MAX], size_t *out_count)
{
    AUTO(rows) rows = ROWS_NONE;
    size_t count = 0;
    bool more = false;
    TRY(rows_open(db, STATEMENT_CREDENTIAL_LIST_OPEN,
                  ARGS(NUMBER(now_ms), NUMBER(OPERATOR_CREDENTIALS_LISTED_MAX)), &rows));
    TRY(rows_next(&rows, &more));
    while (more && count < OPERATOR_CREDENTIALS_LISTED_MAX) {
        TRY(credential_read(&rows, &out_list[count++]));
        TRY(rows_next(&rows, &more));
    }
    *out_count = count;
    return OK;
}

ERRFN request_signature_seen(struct db *db, const uint8_t key_id[static KEY_ID_BYTES],
                             struct view nonce, uint64_t expires_ms)
{
    uint64_t changed = 0;
    ENSURE(nonce.len <= SIGNATURE_NONCE_MAX_BYTES, TOO_LONG);
    TRY(statement_run(db, STATEMENT_SIGNATURE_SEEN,
                      ARGS(BYTES(key_id, KEY_ID_BYTES), VIEW(nonce), NUMBER(expires_ms)),
                      &changed));
    ENSURE(changed == 1, SIGNATURE_REPLAYED);
    return OK;
}
