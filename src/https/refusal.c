#include "https/refusal.h"

#include <stdio.h>

#include "base/text.h"
#include "https/json.h"

/* Printable or nothing: the text goes to a terminal. */
static void copy_text(const json_t *field, char *out_text, size_t size)
{
    const char *text = json_string_value(field);
    if (text && text_is_clean(view_text(text))) {
        snprintf(out_text, size, "%s", text);
    }
}

/* A schema error is an array of {loc, msg, type}; the first one says enough. */
static void copy_schema_error(const json_t *detail, char *out_text, size_t size)
{
    const json_t *first = json_array_get(detail, 0);
    const json_t *loc = json_object_get(first, "loc");
    char field[80] = "";
    char message[320] = "";
    copy_text(json_array_get(loc, json_array_size(loc) - 1), field, sizeof field);
    copy_text(json_object_get(first, "msg"), message, sizeof message);
    snprintf(out_text, size, "%s: %s", field[0] ? field : "body", message);
}

ERRFN refusal_check(const struct https_answer *answer, struct refusal *out_refusal)
{
    if (answer->status >= 200 && answer->status < 300) {
        return OK;
    }
    struct refusal refusal = {.status = answer->status, .retry_after_s = answer->retry_after_s};
    snprintf(refusal.reason, sizeof refusal.reason, "http_%u", answer->status);
    AUTO(json) body = NULL;
    if (IS_OK(json_read(buf_view(answer->body), &body))) {
        copy_text(json_object_get(body, "reason"), refusal.reason, sizeof refusal.reason);
        const json_t *detail = json_object_get(body, "detail");
        if (json_is_array(detail)) {
            copy_schema_error(detail, refusal.detail, sizeof refusal.detail);
        } else {
            copy_text(detail, refusal.detail, sizeof refusal.detail);
        }
    }
    *out_refusal = refusal;
    return E(REFUSED);
}
