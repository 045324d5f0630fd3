#include "provision/say.h"

#include <stdarg.h>
#include <stdio.h>

void say(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%-8s", verb);
    vprintf(format, args);
    putchar('\n');
    fflush(stdout); /* parent and children write in turn */
    va_end(args);
}

static const char *hint(err_t err)
{
    if (IS_E(err, TOKEN_ABSENT)) {
        return "A software token is made with --init-tokens; a hardware token is initialised with "
               "its vendor's tool.";
    }
    if (IS_E(err, TOKEN_PIN)) {
        return "The PIN was tried once. Compare the pin_file with what the token was initialised "
               "with before the "
               "next run.";
    }
    if (IS_E(err, TOKEN_KEY_EXTRACTABLE) || IS_E(err, TOKEN_KEY_TYPE) ||
        IS_E(err, TOKEN_KEY_USAGE)) {
        return "Remove the key with the vendor's tool, if nothing depends on it, and run "
               "itl-provision again.";
    }
    if (IS_E(err, TOKEN_EXISTS)) {
        return "Half of the key is there: remove what has this label, if nothing depends on it, "
               "and run "
               "itl-provision again.";
    }
    if (IS_E(err, TOKEN_MODULE)) {
        return "Is the path right, may this account read it, and is its configuration "
               "(hsm.*.environment) there?";
    }
    return NULL;
}

err_t say_problem(err_t err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "itl-provision: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, ": %s [%s]\n", err_text(err), err_reason(err));
    va_end(args);
    if (hint(err)) {
        fprintf(stderr, "    %s\n", hint(err));
    }
    return err;
}
