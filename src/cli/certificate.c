/* cert list, cert revoke. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/machine_lookup.h"
#include "cli/machine_view.h"
#include "cli/print.h"
#include "cli/table.h"

enum { SERIAL_CHARS = 32, PAGE_ROWS = 200, PAGES_MAX = 5000 };

static const struct table_column columns[] = {
    {"SERIAL", "serial", 32},     {"MACHINE", "machine_id", 8}, {"KIND", "kind", 0},
    {"ROLE", "role", 0},          {"EXPIRES", "not_after", 19}, {"REVOKED", "revoked_at", 19},
    {"FOR", "revoked_reason", 0},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static bool is_serial(const char *text)
{
    return strlen(text) == SERIAL_CHARS && strspn(text, "0123456789abcdefABCDEF") == SERIAL_CHARS;
}

/* Appends one page; *after is where the next one begins. */
static ERRFN add_page(struct session *session, const char *machine_id, json_t *list,
                      char after[static SERIAL_CHARS + 1], bool *out_more)
{
    char target[160];
    AUTO(json) page = NULL;
    const char *serial;
    snprintf(target, sizeof target, "/api/v1/certificates?limit=%d%s%s%s%s", PAGE_ROWS,
             machine_id ? "&machine_id=" : "", machine_id ? machine_id : "",
             after[0] ? "&after=" : "", after);
    TRY(session_get_list(session, target, &page));
    size_t rows = json_array_size(page);
    *out_more = rows >= PAGE_ROWS;
    if (rows > 0) {
        ENSURE(
            IS_OK(json_get_text(json_array_get(page, rows - 1), "serial", SERIAL_CHARS, &serial)) &&
                is_serial(serial),
            ANSWER_INVALID);
        memcpy(after, serial, SERIAL_CHARS + 1);
        ENSURE(json_array_extend(list, page) == 0, NO_MEMORY);
    }
    return OK;
}

static ERRFN find_machine_id(struct session *session, const struct options *options,
                             json_t **out_machine, const char **out_id)
{
    *out_id = NULL;
    if (options->machine) {
        TRY(machine_lookup(session, options->machine, out_machine));
        TRY(json_get_text(*out_machine, "machine_id", MACHINE_ID_CHARS, out_id));
    }
    return OK;
}

err_t certificate_list(struct session *session, const struct options *options)
{
    AUTO(json) machine = NULL;
    AUTO(json) list = json_array();
    char after[SERIAL_CHARS + 1] = "";
    const char *machine_id;
    bool more = true;
    ENSURE(list, NO_MEMORY);
    TRY(find_machine_id(session, options, &machine, &machine_id));
    for (size_t pages = 0; more; pages++) {
        ENSURE(pages < PAGES_MAX, TOO_LONG);
        TRY(add_page(session, machine_id, list, after, &more));
    }
    if (options->output == OUTPUT_JSON) {
        return print_json(list);
    }
    table_print(stdout, columns, COLUMN_COUNT, list);
    return OK;
}

err_t certificate_revoke(struct session *session, const struct options *options)
{
    const char *serial = options->arguments[2];
    char question[96];
    char target[96];
    ENSURE(is_serial(serial), FIELD_INVALID);
    snprintf(question, sizeof question, "Revoke certificate %s for good?", serial);
    TRY(confirm(options, question));
    AUTO(json) body = json_object();
    AUTO(json) answer = NULL;
    ENSURE(body, NO_MEMORY);
    if (options->reason) {
        TRY(json_set_text(body, "reason", options->reason));
    }
    snprintf(target, sizeof target, "/api/v1/certificates/%s/revoke", serial);
    TRY(session_take_away(session, target, body, &answer));
    if (options->output == OUTPUT_JSON) {
        return print_json(answer);
    }
    puts("Revoked.");
    table_print_object(stdout, columns, COLUMN_COUNT, answer);
    return OK;
}
