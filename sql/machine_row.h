/* Inside sql/ only: what the files about machines share. */
#ifndef ITL_SQL_MACHINE_ROW_H
#define ITL_SQL_MACHINE_ROW_H

#include "sql/machines.h"
#include "sql/statement.h"

/* The current row, in the order of SQL_MACHINE_COLUMNS. */
ERRFN machine_row_read(struct rows *rows, struct machine *out_machine);

/* A new EK of a machine. Errors: DB_CONFLICT when it exists, TOO_LONG. */
ERRFN ek_insert(struct db *db, const char *machine_id, const struct ek_record *ek);

#endif
