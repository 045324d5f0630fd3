/* policy diff: two policies, from files or from the appliance, in words. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/policy_fetch.h"
#include "cli/policy_text.h"
#include "cli/print.h"
#include "policy/diff.h"

enum { LINES_MAX_BYTES = 1 << 20 };

static ERRFN parse_stored(struct session *session, const char *which, struct policy **out_policy)
{
    AUTO(json) stored = NULL;
    struct policy_problem problem;
    TRY(policy_fetch(session, which, &stored));
    const json_t *text = json_object_get(stored, "policy");
    ENSURE(json_is_string(text), ANSWER_INVALID);
    return policy_parse(view_of(json_string_value(text), json_string_length(text)), out_policy, &problem);
}

static ERRFN fetch_one(const struct options *options, const char *which, struct policy **out_policy)
{
    struct session session = {0};
    err_t fetched = session_open(options, &session);
    if (IS_OK(fetched)) {
        fetched = parse_stored(&session, which, out_policy);
    }
    if (!IS_OK(fetched)) {
        bool refused = IS_E(fetched, REFUSED);
        fprintf(stderr, "attestation: %s: %s [%s]\n", which, refused ? session.refusal.detail : err_text(fetched),
                refused ? session.refusal.reason : err_reason(fetched));
    }
    session_close(&session);
    return fetched;
}

/* A file wherever there is one of that name. */
static ERRFN read_one(const struct options *options, const char *which, struct policy **out_policy)
{
    bool is_file = strcmp(which, "-") == 0 || access(which, F_OK) == 0;
    return is_file ? policy_text_read(which, out_policy, NULL) : fetch_one(options, which, out_policy);
}

static ERRFN print_lines(const struct options *options, struct view lines)
{
    if (options->output != OUTPUT_JSON) {
        ENSURE(fwrite(lines.data, 1, lines.len, stdout) == lines.len, IO);
        return OK;
    }
    AUTO(json) list = json_array();
    ENSURE(list, NO_MEMORY);
    while (lines.len > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.data) : lines.len;
        ENSURE(json_array_append_new(list, json_stringn((const char *)lines.data, len)) == 0, NO_MEMORY);
        size_t skip = end ? len + 1 : len;
        lines = view_of(lines.data + skip, lines.len - skip);
    }
    return print_json(list);
}

enum exit_status policy_compare(const struct options *options)
{
    AUTO(policy) from = NULL;
    AUTO(policy) to = NULL;
    AUTO(buf) lines = NULL;
    if (!IS_OK(read_one(options, options->arguments[2], &from)) || !IS_OK(read_one(options, options->arguments[3], &to))) {
        return EXIT_UNREADABLE;
    }
    if (!IS_OK(buf_new(LINES_MAX_BYTES, &lines)) || !IS_OK(policy_diff(from, to, lines)) ||
        !IS_OK(print_lines(options, buf_view(lines)))) {
        return EXIT_UNREADABLE;
    }
    if (lines->len == 0 && options->output != OUTPUT_JSON) {
        puts("They mean the same.");
    }
    return lines->len == 0 ? EXIT_DONE : EXIT_REFUSED;
}
