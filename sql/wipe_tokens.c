#include "sql/statement.h"
#include "sql/tokens.h"

ERRFN wipe_token_put(struct db *db, const char *machine_id,
                     const uint8_t token_sha384[static TOKEN_HASH_BYTES], uint64_t expires_ms)
{
    return statement_run(
        db, STATEMENT_WIPE_TOKEN_PUT,
        ARGS(BYTES(token_sha384, TOKEN_HASH_BYTES), TEXT(machine_id), NUMBER(expires_ms)), NULL);
}

ERRFN wipe_token_take(struct db *db, const char *machine_id,
                      const uint8_t token_sha384[static TOKEN_HASH_BYTES], uint64_t now_ms)
{
    uint64_t taken = 0;
    TRY(statement_run(db, STATEMENT_WIPE_TOKEN_TAKE,
                      ARGS(BYTES(token_sha384, TOKEN_HASH_BYTES), TEXT(machine_id), NUMBER(now_ms)),
                      &taken));
    ENSURE(taken == 1, WIPE_TOKEN);
    return OK;
}

ERRFN wipe_token_kill(struct db *db, const char *machine_id)
{
    return statement_run(db, STATEMENT_WIPE_TOKEN_KILL, ARGS(TEXT(machine_id)), NULL);
}
