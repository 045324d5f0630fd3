/* For tests: appends an audit row dated a day ahead, as a clock that was wrong for a while leaves it, with the key that the token opens.
 * audit_from_tomorrow MODULE TOKEN_LABEL PIN_FILE SEALED_KEY DATABASE */
#include "base/clock.h"
#include "base/fd.h"
#include "base/secret.h"
#include "hsm/hsm.h"
#include "sql/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static ERRFN append(struct db *db)
{
    struct audit_row row = {.action = "clock_test", .actor = "test", .time_ms = clock_utc_ms() + DAY_MS};
    TRY(db_begin(db));
    err_t appended = audit_append(db, &row);
    if (!IS_OK(appended)) {
        db_rollback(db);
        return appended;
    }
    return db_commit(db);
}

static ERRFN open_and_append(char **argv)
{
    AUTO(secret) pin = NULL;
    AUTO(secret) key = NULL;
    AUTO(buf) sealed = NULL;
    AUTO(hsm) hsm = NULL;
    AUTO(db) db = NULL;
    struct hsm_key *vault;
    TRY(secret_setup());
    TRY(secret_read_file(argv[3], 255, &pin));
    struct hsm_settings settings = {.module = argv[1], .token_label = argv[2], .pin = secret_view(pin)};
    TRY(hsm_open(&settings, &hsm));
    TRY(hsm_key_find(hsm, HSM_ROLE_VAULT, &vault));
    TRY(fd_read_file(argv[4], 512, &sealed));
    TRY(hsm_open_sealed(vault, view_text("itl-database-key-v1"), buf_view(sealed), &key));
    TRY(db_open(argv[5], key, clock_utc_ms(), &db));
    return append(db);
}

int main(int argc, char **argv)
{
    err_t done = argc == 6 ? open_and_append(argv) : E(BAD_REQUEST);
    if (!IS_OK(done)) {
        fprintf(stderr, "audit_from_tomorrow: %s\n", err_text(done));
    }
    fflush(stderr);
    _exit(IS_OK(done) ? EXIT_SUCCESS : EXIT_FAILURE); /* SoftHSM crashes in exit handlers */
}
