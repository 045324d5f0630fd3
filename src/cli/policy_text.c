#include "cli/policy_text.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"

static void print_problem(const char *path, const struct policy_problem *problem)
{
    if (problem->line > 0) {
        fprintf(stderr, "%s:%u:%u: ", path, problem->line, problem->column);
    } else {
        fprintf(stderr, "%s: ", path);
    }
    fprintf(stderr, "%s%s%s\n", problem->path, problem->path[0] ? ": " : "", problem->text);
}

ERRFN policy_text_read(const char *path, struct policy **out_policy, struct buf **out_text)
{
    AUTO(buf) text = NULL;
    struct policy_problem problem = {0};
    err_t read = fd_read_file(strcmp(path, "-") == 0 ? "/dev/stdin" : path, POLICY_FILE_MAX_BYTES, &text);
    if (!IS_OK(read)) {
        fprintf(stderr, "%s: %s\n", path, err_text(read));
        return read;
    }
    err_t parsed = policy_parse(buf_view(text), out_policy, &problem);
    if (IS_E(parsed, POLICY_INVALID)) {
        print_problem(path, &problem);
    }
    TRY(parsed);
    if (out_text) {
        *out_text = STEAL(text);
    }
    return OK;
}
