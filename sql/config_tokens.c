#include "sql/statement.h"
#include "sql/tokens.h"

/* A token whose first fetch is older than this is dead. */
static uint64_t grace_start(uint64_t now_ms)
{
    return now_ms > CONFIG_TOKEN_GRACE_MS ? now_ms - CONFIG_TOKEN_GRACE_MS : 0;
}

ERRFN config_token_put(struct db *db, const char *machine_id, const char *ek_fingerprint,
                       const uint8_t token_sha384[static TOKEN_HASH_BYTES], uint64_t expires_ms)
{
    return statement_run(db, STATEMENT_CONFIG_TOKEN_PUT,
                         ARGS(BYTES(token_sha384, TOKEN_HASH_BYTES), TEXT(machine_id),
                              HEX(ek_fingerprint, EK_FINGERPRINT_BYTES), NUMBER(expires_ms)),
                         NULL);
}

/* Empty in tokens from before there were several. */
static void read_ek(struct rows *rows, int column, char out_fingerprint[static MACHINE_EK_SIZE])
{
    out_fingerprint[0] = '\0';
    if (rows_bytes_view(rows, column).len > 0) {
        rows_hex(rows, column, out_fingerprint, EK_FINGERPRINT_BYTES);
    }
}

ERRFN config_token_find(struct db *db, const uint8_t token_sha384[static TOKEN_HASH_BYTES],
                        uint64_t now_ms, struct config_token_found *out_token)
{
    AUTO(rows) rows = ROWS_NONE;
    struct config_token_found token = {0};
    TRY(rows_open(
        db, STATEMENT_CONFIG_TOKEN_FIND,
        ARGS(BYTES(token_sha384, TOKEN_HASH_BYTES), NUMBER(now_ms), NUMBER(grace_start(now_ms))),
        &rows));
    TRY(rows_one(&rows, E(TOKEN_UNKNOWN)));
    rows_text(&rows, 0, token.machine_id, sizeof token.machine_id);
    token.expires_ms = rows_number(&rows, 1);
    token.fetched_ms = rows_number(&rows, 2);
    read_ek(&rows, 3, token.ek_fingerprint);
    TRY(rows_problem(&rows));
    *out_token = token;
    return OK;
}

ERRFN config_token_mark_fetched(struct db *db, const uint8_t token_sha384[static TOKEN_HASH_BYTES],
                                uint64_t now_ms)
{
    uint64_t changed = 0;
    TRY(statement_run(
        db, STATEMENT_CONFIG_TOKEN_MARK,
        ARGS(BYTES(token_sha384, TOKEN_HASH_BYTES), NUMBER(now_ms), NUMBER(grace_start(now_ms))),
        &changed));
    ENSURE(changed == 1, TOKEN_UNKNOWN);
    return OK;
}

ERRFN config_token_kill(struct db *db, const char *machine_id)
{
    return statement_run(db, STATEMENT_CONFIG_TOKEN_KILL, ARGS(TEXT(machine_id)), NULL);
}
