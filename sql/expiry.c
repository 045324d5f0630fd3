#include "sql/certificates.h"
#include "sql/proof.h"
#include "sql/statement.h"

ERRFN expire_old(struct db *db, uint64_t now_ms, uint32_t max_rows, uint64_t *out_removed)
{
    uint64_t kept_ms = now_ms > EXPIRED_KEPT_MS ? now_ms - EXPIRED_KEPT_MS : 0;
    uint64_t inventory_ms = now_ms > CERTIFICATE_KEPT_MS ? now_ms - CERTIFICATE_KEPT_MS : 0;
    const struct {
        enum statement statement;
        uint64_t before_ms;
    } kinds[] = {
        {STATEMENT_NONCE_EXPIRE, kept_ms},
        {STATEMENT_SESSION_EXPIRE, kept_ms},
        {STATEMENT_CONFIG_TOKEN_EXPIRE, kept_ms},
        {STATEMENT_WIPE_TOKEN_EXPIRE, kept_ms},
        {STATEMENT_CERTIFICATE_EXPIRE, inventory_ms},
        {STATEMENT_SIGNATURE_EXPIRE, now_ms},
    };
    uint64_t removed = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint64_t changed = 0;
        TRY(statement_run(db, kinds[i].statement,
                          ARGS(NUMBER(kinds[i].before_ms), NUMBER(max_rows)), &changed));
        removed += changed;
    }
    *out_removed = removed;
    return OK;
}
