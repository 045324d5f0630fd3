#include "cli/confirm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_CHARS = 16 };

bool confirm_is_asked(const struct options *options)
{
    return !(options->given & OPTION_YES) && isatty(STDIN_FILENO);
}

ERRFN confirm(const struct options *options, const char *question)
{
    char answer[ANSWER_CHARS] = "";
    if (options->given & OPTION_YES) {
        return OK;
    }
    ENSURE(confirm_is_asked(options), NOT_CONFIRMED);
    fprintf(stderr, "\n%s Type yes: ", question);
    ENSURE(fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0, NOT_CONFIRMED);
    return OK;
}
