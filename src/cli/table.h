/* Tables of text on standard output: columns as wide as their widest cell, two blanks between. */
#ifndef ITL_CLI_TABLE_H
#define ITL_CLI_TABLE_H

#include "https/json.h"

#include <stdio.h>

enum { TABLE_CELL_MAX = 48 }; /* characters; longer cells are cut */

struct table_column {
    const char *title;
    const char *key;   /* field of each object */
    size_t most_chars; /* cut here; 0 for TABLE_CELL_MAX */
};

/* One row for each object of the list, the titles above. */
void table_print(FILE *out, const struct table_column *columns, size_t count, const json_t *list);

/* One line for each column that the object has a value for: title, then the whole value. */
void table_print_object(FILE *out, const struct table_column *columns, size_t count,
                        const json_t *object);

#endif
