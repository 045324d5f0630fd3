#include "cli/confirm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_CHARS = 16 };

ERRFN confirm_at_terminal(const char *question)
{
    char answer[ANSWER_CHARS] = "";
    ENSURE(isatty(STDIN_FILENO), NOT_CONFIRMED);
    fprintf(stderr, "\n%s Type yes: ", question);
    ENSURE(fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0, NOT_CONFIRMED);
    return OK;
}
