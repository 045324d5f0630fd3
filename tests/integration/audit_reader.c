/* For tests: prints the audit log as JSON lines, reading the live database with the key that the token opens.
 * audit_reader MODULE TOKEN_LABEL PIN_FILE SEALED_KEY DATABASE */
#include "base/fd.h"
#include "base/secret.h"
#include "hsm/hsm.h"
#include "sql/audit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static err_t print_row(void *context, const struct audit_entry *entry)
{
    (void)context;
    const struct audit_row *row = &entry->row;
    json_t *object = json_pack("{s:I, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "seq", (json_int_t)entry->seq, "action",
                               row->action, "actor", row->actor, "machine_id", row->machine_id, "prev_state", row->prev_state,
                               "new_state", row->new_state, "reason", row->reason, "detail", row->detail, "source_ip",
                               row->source_ip);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text) {
        return E(NO_MEMORY);
    }
    puts(text);
    free(text);
    return OK;
}

static ERRFN read_log(char **argv)
{
    AUTO(secret) pin = NULL;
    AUTO(secret) key = NULL;
    AUTO(buf) sealed = NULL;
    struct hsm *hsm;
    struct hsm_key *vault;
    struct db *db;
    TRY(secret_setup());
    TRY(secret_read_file(argv[3], 255, &pin));
    struct hsm_settings settings = {.module = argv[1], .token_label = argv[2], .pin = secret_view(pin)};
    TRY(hsm_open(&settings, &hsm));
    TRY(hsm_key_find(hsm, HSM_ROLE_VAULT, &vault));
    TRY(fd_read_file(argv[4], 512, &sealed));
    TRY(hsm_open_sealed(vault, view_text("itl-database-key-v1"), buf_view(sealed), &key));
    TRY(db_open_readonly(argv[5], key, &db));
    return audit_export(db, 0, UINT32_MAX, print_row, NULL);
}

int main(int argc, char **argv)
{
    err_t done = argc == 6 ? read_log(argv) : E(BAD_REQUEST);
    if (!IS_OK(done)) {
        fprintf(stderr, "audit_reader: %s\n", err_text(done));
    }
    fflush(stdout);
    _exit(IS_OK(done) ? EXIT_SUCCESS : EXIT_FAILURE);
}
