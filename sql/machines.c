#include "sql/machines.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "sql/machine_row.h"

/* The arguments of MACHINE_INSERT and both MACHINE_UPDATEs, in the order of the columns. */
#define MACHINE_ARGS(m)                                                                            \
    ARGS(TEXT((m)->machine_id), HEX((m)->ek_fingerprint, EK_FINGERPRINT_BYTES),                    \
         HEX((m)->ek_public_hash, SHA256_BYTES), NUMBER((m)->ek_source), TEXT((m)->hw_uuid),       \
         TEXT((m)->hw_mac), TEXT((m)->hw_serial), TEXT((m)->hw_product), TEXT((m)->role),          \
         TEXT((m)->desired_role), NUMBER((m)->status), NUMBER((m)->status_before_lock),            \
         TEXT((m)->cluster_id), TEXT((m)->hostname), TEXT((m)->assigned_ip), TEXT((m)->assurance), \
         NUMBER((m)->registered_at), NUMBER((m)->attested_at), NUMBER((m)->locked_at),             \
         NUMBER((m)->revoked_at), NUMBER((m)->wipe_pending), TEXT((m)->ek_manufacturer),           \
         TEXT((m)->ek_model), TEXT((m)->ek_version), TEXT((m)->ek_anchor),                         \
         NUMBER((m)->evidence_at), NUMBER((m)->evidence_until), NUMBER((m)->gates))

ERRFN machine_row_read(struct rows *rows, struct machine *out_machine)
{
    struct machine m = {0};
    rows_text(rows, 0, m.machine_id, sizeof m.machine_id);
    rows_hex(rows, 1, m.ek_fingerprint, EK_FINGERPRINT_BYTES);
    rows_hex(rows, 2, m.ek_public_hash, SHA256_BYTES);
    m.ek_source = rows_int(rows, 3);
    rows_text(rows, 4, m.hw_uuid, sizeof m.hw_uuid);
    rows_text(rows, 5, m.hw_mac, sizeof m.hw_mac);
    rows_text(rows, 6, m.hw_serial, sizeof m.hw_serial);
    rows_text(rows, 7, m.hw_product, sizeof m.hw_product);
    rows_text(rows, 8, m.role, sizeof m.role);
    rows_text(rows, 9, m.desired_role, sizeof m.desired_role);
    m.status = rows_int(rows, 10);
    m.status_before_lock = rows_int(rows, 11);
    rows_text(rows, 12, m.cluster_id, sizeof m.cluster_id);
    rows_text(rows, 13, m.hostname, sizeof m.hostname);
    rows_text(rows, 14, m.assigned_ip, sizeof m.assigned_ip);
    rows_text(rows, 15, m.assurance, sizeof m.assurance);
    m.registered_at = rows_number(rows, 16);
    m.attested_at = rows_number(rows, 17);
    m.locked_at = rows_number(rows, 18);
    m.revoked_at = rows_number(rows, 19);
    m.wipe_pending = rows_int(rows, 20) != 0;
    rows_text(rows, 21, m.ek_manufacturer, sizeof m.ek_manufacturer);
    rows_text(rows, 22, m.ek_model, sizeof m.ek_model);
    rows_text(rows, 23, m.ek_version, sizeof m.ek_version);
    rows_text(rows, 24, m.ek_anchor, sizeof m.ek_anchor);
    m.evidence_at = rows_number(rows, 25);
    m.evidence_until = rows_number(rows, 26);
    m.gates = (uint32_t)rows_number(rows, 27);
    TRY(rows_problem(rows));
    *out_machine = m;
    return OK;
}

static ERRFN machine_by(struct db *db, enum statement id, struct arg name,
                        struct machine *out_machine)
{
    AUTO(rows) rows = ROWS_NONE;
    TRY(rows_open(db, id, &name, 1, &rows));
    TRY(rows_one(&rows, E(MACHINE_UNKNOWN)));
    return machine_row_read(&rows, out_machine);
}

ERRFN machine_by_id(struct db *db, const char *machine_id, struct machine *out_machine)
{
    return machine_by(db, STATEMENT_MACHINE_BY_ID, TEXT(machine_id), out_machine);
}

ERRFN machine_by_ek(struct db *db, const char *fingerprint, struct machine *out_machine)
{
    return machine_by(db, STATEMENT_MACHINE_BY_EK, HEX(fingerprint, EK_FINGERPRINT_BYTES),
                      out_machine);
}

/* Both rows or none: the EK may be known already, and the caller may go on after that. */
ERRFN machine_insert(struct db *db, const struct machine *machine, const struct ek_record *ek)
{
    ENSURE(strcmp(machine->ek_fingerprint, ek->fingerprint) == 0, BUG);
    TRY(statement_run(db, STATEMENT_MACHINE_INSERT, MACHINE_ARGS(machine), NULL));
    err_t error = ek_insert(db, machine->machine_id, ek);
    if (!IS_OK(error)) {
        IGNORE_ERR(machine_delete(db, machine->machine_id));
    }
    return error;
}

ERRFN machine_update(struct db *db, const struct machine *machine)
{
    uint64_t changed = 0;
    struct machine stored;
    TRY(statement_run(db, STATEMENT_MACHINE_UPDATE_FACTS, MACHINE_ARGS(machine), &changed));
    if (changed == 0) {
        TRY(statement_run(db, STATEMENT_MACHINE_UPDATE, MACHINE_ARGS(machine), &changed));
    }
    if (changed == 1) {
        return OK;
    }
    TRY(machine_by_id(db, machine->machine_id, &stored));
    return E(DB_CONFLICT);
}

ERRFN machine_delete(struct db *db, const char *machine_id)
{
    uint64_t changed = 0;
    TRY(statement_run(db, STATEMENT_MACHINE_DELETE, ARGS(TEXT(machine_id)), &changed));
    ENSURE(changed == 1, MACHINE_UNKNOWN);
    return OK;
}
