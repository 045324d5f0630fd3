#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/policy_fetch.h"
#include "cli/policy_text.h"
#include "cli/print.h"
#include "cli/table.h"

enum { PAGES_MAX = 64, DIGEST_CHARS = 96, TARGET_SIZE = 128 };

static const struct table_column list_columns[] = {
    {"NUMBER", "number", 0}, {"ACTIVE", "active", 0}, {"NAME", "name", 32},           {"VERSION", "version", 0},
    {"AUTHOR", "author", 24}, {"PUSHED", "created_at", 19}, {"IN FORCE", "activated_at", 19}, {"COMMENT", "comment", 40},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum exit_status policy_validate(const struct options *options)
{
    AUTO(policy) policy = NULL;
    const char *path = options->arguments[2];
    if (!IS_OK(policy_text_read(path, &policy, NULL))) {
        return EXIT_UNREADABLE;
    }
    const char *violation = policy_high_assurance_violation(policy);
    if (violation) {
        fprintf(stderr, "%s: %s: high-assurance mode does not allow this\n", path, violation);
        return EXIT_REFUSED;
    }
    printf("%s: %s, version %" PRIu32 ": good\n", path, policy->name, policy->version);
    return EXIT_DONE;
}

static ERRFN print_policy(const struct options *options, const json_t *policy)
{
    if (options->output == OUTPUT_JSON) {
        return print_json(policy);
    }
    table_print_object(stdout, list_columns, COUNT(list_columns), policy);
    return OK;
}

err_t policy_push(struct session *session, const struct options *options)
{
    AUTO(policy) policy = NULL;
    AUTO(buf) text = NULL;
    AUTO(json) body = json_object();
    AUTO(json) answer = NULL;
    unsigned status;
    ENSURE(body, NO_MEMORY);
    TRY(policy_text_read(options->arguments[2], &policy, &text));
    json_t *value = json_stringn((const char *)text->data, text->len);
    ENSURE(value && json_object_set_new(body, "policy", value) == 0, FIELD_INVALID); /* not UTF-8 */
    if (options->comment) {
        TRY(json_set_text(body, "comment", options->comment));
    }
    TRY(session_grant(session, "POST", "/api/v1/policies", body, &status, &answer));
    if (options->output == OUTPUT_TABLE) {
        puts(status == 201 ? "Kept; not in force yet." : "This text was kept before.");
    }
    return print_policy(options, answer);
}

static ERRFN last_number(const json_t *page, json_int_t *out_number)
{
    const json_t *last = json_array_get(page, json_array_size(page) - 1);
    *out_number = json_integer_value(json_object_get(last, "number"));
    ENSURE(*out_number > 0, ANSWER_INVALID);
    return OK;
}

err_t policy_list(struct session *session, const struct options *options)
{
    enum { PAGE_ROWS = 200 };
    AUTO(json) list = json_array();
    ENSURE(list, NO_MEMORY);
    json_int_t before = 0;
    for (size_t pages = 0, rows = PAGE_ROWS; rows == PAGE_ROWS; pages++) {
        AUTO(json) page = NULL;
        char target[TARGET_SIZE];
        ENSURE(pages < PAGES_MAX, TOO_LONG);
        snprintf(target, sizeof target, "/api/v1/policies?limit=%d&before=%" JSON_INTEGER_FORMAT, PAGE_ROWS, before);
        TRY(session_get_list(session, target, &page));
        rows = json_array_size(page);
        if (rows > 0) {
            TRY(last_number(page, &before));
            ENSURE(json_array_extend(list, page) == 0, NO_MEMORY);
        }
    }
    if (options->output == OUTPUT_JSON) {
        return print_json(list);
    }
    table_print(stdout, list_columns, COUNT(list_columns), list);
    return OK;
}

err_t policy_show(struct session *session, const struct options *options)
{
    AUTO(json) policy = NULL;
    TRY(policy_fetch(session, options->arguments[2], &policy));
    if (options->output == OUTPUT_JSON) {
        return print_json(policy);
    }
    const char *text = json_string_value(json_object_get(policy, "policy"));
    ENSURE(text, ANSWER_INVALID);
    ENSURE(fputs(text, stdout) >= 0, IO);
    return OK;
}

/* The signature covers the number and the digest of the text that is shown here; the signer compares both with what it holds. So a
 * lying front can only say which number is the previous one, and the operator sees that number. */
static ERRFN activate(struct session *session, const struct options *options, const char *which)
{
    AUTO(json) policy = NULL;
    AUTO(json) answer = NULL;
    AUTO(json) body = json_object();
    const char *digest;
    char target[TARGET_SIZE];
    unsigned status;
    ENSURE(body, NO_MEMORY);
    TRY(policy_fetch(session, which, &policy));
    TRY(json_get_text(policy, "sha384", DIGEST_CHARS, &digest));
    json_int_t number = json_integer_value(json_object_get(policy, "number"));
    ENSURE(number > 0, ANSWER_INVALID);
    if (confirm_is_asked(options)) {
        table_print_object(stderr, list_columns, COUNT(list_columns), policy);
    }
    TRY(confirm(options, "Judge every machine by this policy from now on?"));
    TRY(json_set_text(body, "sha384", digest));
    if (options->comment) {
        TRY(json_set_text(body, "comment", options->comment));
    }
    snprintf(target, sizeof target, "/api/v1/policies/%" JSON_INTEGER_FORMAT "/activate", number);
    TRY(session_grant(session, "POST", target, body, &status, &answer));
    if (options->output == OUTPUT_TABLE) {
        puts("In force.");
    }
    return print_policy(options, answer);
}

err_t policy_activate(struct session *session, const struct options *options)
{
    return activate(session, options, options->arguments[2]);
}

err_t policy_rollback(struct session *session, const struct options *options)
{
    return activate(session, options, "previous");
}
