#include "cli/print.h"

#include <stdio.h>

enum { OUTPUT_MAX_BYTES = 512 << 20 };

ERRFN print_json(const json_t *value)
{
    AUTO(buf) text = NULL;
    TRY(json_write(value, 2, OUTPUT_MAX_BYTES, &text));
    ENSURE(fwrite(text->data, 1, text->len, stdout) == text->len && fputc('\n', stdout) != EOF, IO);
    return OK;
}
