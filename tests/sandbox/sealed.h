/* Acts in a child that went through limits, drop and enter like a real process; how the child ended
 * is the result. */
#ifndef ITL_TESTS_SANDBOX_SEALED_H
#define ITL_TESTS_SANDBOX_SEALED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sandbox/sandbox.h"

enum {
    SEALED_SECONDS = 20, /* then SIGALRM ends a child that hangs */
    SEALED_UID = 12345,  /* what a child runs as when the tests run as root */
    NOT_SEALED = 250,    /* exit code: a step before the act failed */
    ALLOWED = 0,         /* exit codes of acts */
    REFUSED_BY_ERRNO = 1
};

struct ending {
    int exit_code; /* -1 when a signal ended it */
    int signal;    /* 0 when it exited */
};

typedef int act_fn(const void *argument);

/* All profiles with and without SoftHSM. */
struct variant {
    const char *name;
    enum sandbox_profile profile;
    bool softhsm;
};
enum { VARIANT_COUNT = 7 };
extern const struct variant VARIANTS[VARIANT_COUNT];

/* Fork, act, end. No step of the sandbox is taken. */
struct ending run_plain(act_fn *act, const void *argument);

/* Fork, limits, drop (to SEALED_UID when run as root), confine or enter, act, end. */
struct ending run_confined(const struct sandbox_settings *settings, act_fn *act,
                           const void *argument);
struct ending run_sealed(const struct sandbox_settings *settings, act_fn *act,
                         const void *argument);

/* limits and drop of a child of this test; supervisor or not follows from the profile. */
ERRFN give_up(enum sandbox_profile profile);

bool is_root(void);

/* A group set-up that fails, with a sentence, on a kernel that cannot show what these tests are
 * about. */
int require_kernel(void **state);

/* exit code 0 for OK, otherwise NOT_SEALED, after a line on standard error. */
int report(const char *step, err_t error);

#endif
