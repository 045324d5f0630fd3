#include "cli/machine_lookup.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Only what needs no escaping in a query. */
static bool is_word(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = strlen(text);
    return len > 0 && len <= 64 && strspn(text, allowed) == len;
}

static ERRFN last_id(const json_t *page, const char **out_id)
{
    const json_t *last = json_array_get(page, json_array_size(page) - 1);
    ENSURE(IS_OK(json_get_text(last, "machine_id", MACHINE_ID_CHARS, out_id)) && is_word(*out_id),
           ANSWER_INVALID);
    return OK;
}

static ERRFN page_target(const char *status, const char *role, const char *after,
                         struct buf **out_target)
{
    AUTO(buf) target = NULL;
    TRY(buf_new(HTTPS_TARGET_MAX_BYTES, &target));
    TRY(buf_printf(target, "/api/v1/machines?limit=%d", MACHINE_PAGE_ROWS));
    if (status) {
        TRY(buf_printf(target, "&status=%s", status));
    }
    if (role) {
        TRY(buf_printf(target, "&role=%s", role));
    }
    if (after) {
        TRY(buf_printf(target, "&after=%s", after));
    }
    TRY(buf_put_u8(target, '\0'));
    *out_target = STEAL(target);
    return OK;
}

/* Appends one page; *after is where the next one begins. */
static ERRFN add_page(struct session *session, const char *status, const char *role, json_t *list,
                      const char **after, bool *out_more)
{
    AUTO(buf) target = NULL;
    TRY(page_target(status, role, *after, &target));
    AUTO(json) page = NULL;
    TRY(session_get_list(session, (const char *)target->data, &page));
    size_t rows = json_array_size(page);
    *out_more = rows >= MACHINE_PAGE_ROWS;
    if (rows > 0) {
        TRY(last_id(page, after)); /* stays alive: the list shares the objects */
        ENSURE(json_array_extend(list, page) == 0, NO_MEMORY);
    }
    return OK;
}

ERRFN machine_lookup_all(struct session *session, const char *status, const char *role,
                         json_t **out_list)
{
    ENSURE((!status || is_word(status)) && (!role || is_word(role)), FIELD_INVALID);
    AUTO(json) list = json_array();
    ENSURE(list, NO_MEMORY);
    const char *after = NULL;
    bool more = true;
    for (size_t pages = 0; more; pages++) {
        ENSURE(pages < MACHINE_PAGES_MAX, TOO_LONG);
        TRY(add_page(session, status, role, list, &after, &more));
    }
    *out_list = STEAL(list);
    return OK;
}

static bool is_id_start(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (!isxdigit((unsigned char)text[i]) && text[i] != '-') {
            return false;
        }
    }
    return len >= MACHINE_PREFIX_MIN_CHARS && len <= MACHINE_ID_CHARS;
}

static ERRFN find_only(const json_t *list, const char *prefix, const char **out_id)
{
    const char *found = NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *id;
        ENSURE(IS_OK(json_get_text(json_array_get(list, i), "machine_id", MACHINE_ID_CHARS, &id)),
               ANSWER_INVALID);
        if (strncasecmp(id, prefix, strlen(prefix)) == 0) {
            ENSURE(!found, MACHINE_AMBIGUOUS);
            found = id;
        }
    }
    ENSURE(found, MACHINE_UNKNOWN);
    *out_id = found;
    return OK;
}

ERRFN machine_lookup(struct session *session, const char *id_or_prefix, json_t **out_machine)
{
    ENSURE(is_id_start(id_or_prefix), FIELD_INVALID);
    AUTO(json) list = NULL;
    const char *id = id_or_prefix;
    if (strlen(id) < MACHINE_ID_CHARS) {
        TRY(machine_lookup_all(session, NULL, NULL, &list));
        TRY(find_only(list, id_or_prefix, &id));
    }
    char target[32 + MACHINE_ID_CHARS];
    snprintf(target, sizeof target, "/api/v1/machines/%s", id);
    return session_get_object(session, target, out_machine);
}
