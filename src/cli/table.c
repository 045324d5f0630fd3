#include "cli/table.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

enum { CELL_SIZE = 512 };

/* What a terminal may see of a value: text without control characters, numbers, yes and no. */
static void cell_text(const json_t *value, char out_text[static CELL_SIZE])
{
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        snprintf(out_text, CELL_SIZE, "%s",
                 text_is_clean(view_text(text)) ? text : "(unprintable)");
    } else if (json_is_integer(value)) {
        snprintf(out_text, CELL_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_boolean(value)) {
        snprintf(out_text, CELL_SIZE, "%s", json_is_true(value) ? "yes" : "no");
    } else {
        out_text[0] = '\0';
    }
}

/* Characters, not bytes: continuation bytes of UTF-8 don't count. */
static size_t chars_in(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

static void cut(char *text, size_t most)
{
    size_t count = 0;
    for (char *at = text; *at; at++) {
        count += ((unsigned char)*at & 0xc0) != 0x80;
        if (count > most) {
            *at = '\0';
            return;
        }
    }
}

static void column_cell(const struct table_column *column, const json_t *object,
                        char out_text[static CELL_SIZE])
{
    cell_text(json_object_get(object, column->key), out_text);
    cut(out_text, column->most_chars ? column->most_chars : TABLE_CELL_MAX);
}

static size_t column_width(const struct table_column *column, const json_t *list)
{
    size_t width = chars_in(column->title);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char text[CELL_SIZE];
        column_cell(column, json_array_get(list, i), text);
        size_t chars = chars_in(text);
        width = chars > width ? chars : width;
    }
    return width;
}

static void print_cell(FILE *out, const char *text, size_t width, bool last)
{
    fputs(text, out);
    for (size_t i = chars_in(text); !last && i < width + 2; i++) {
        fputc(' ', out);
    }
    if (last) {
        fputc('\n', out);
    }
}

enum { COLUMNS_MAX = 16 };

void table_print(FILE *out, const struct table_column *columns, size_t count, const json_t *list)
{
    size_t width[COLUMNS_MAX];
    count = count < COLUMNS_MAX ? count : COLUMNS_MAX;
    for (size_t c = 0; c < count; c++) {
        width[c] = column_width(&columns[c], list);
        print_cell(out, columns[c].title, width[c], c + 1 == count);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        for (size_t c = 0; c < count; c++) {
            char text[CELL_SIZE];
            column_cell(&columns[c], json_array_get(list, i), text);
            print_cell(out, text[0] ? text : "-", width[c], c + 1 == count);
        }
    }
}

void table_print_object(FILE *out, const struct table_column *columns, size_t count,
                        const json_t *object)
{
    size_t width = 0;
    for (size_t c = 0; c < count; c++) {
        width = strlen(columns[c].title) > width ? strlen(columns[c].title) : width;
    }
    for (size_t c = 0; c < count; c++) {
        char text[CELL_SIZE];
        cell_text(json_object_get(object, columns[c].key), text);
        if (text[0]) {
            fprintf(out, "%-*s  %s\n", (int)width, columns[c].title, text);
        }
    }
}
