/* cmocka with the headers it wants before it, and how this folder looks at err_t. */
#ifndef ITL_TESTS_TPM_CMOCKA_ALL_H
#define ITL_TESTS_TPM_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

#define assert_ok(expr)                                  \
    do {                                                 \
        err_t got_ = (expr);                             \
        if (!IS_OK(got_)) {                              \
            fail_msg("%s: %s", #expr, err_reason(got_)); \
        }                                                \
    } while (0)

#define assert_err(expr, name)                                                              \
    do {                                                                                    \
        err_t got_ = (expr);                                                                \
        if (!IS_E(got_, name)) {                                                            \
            fail_msg("%s: %s instead of %s", #expr, err_reason(got_), err_reason(E(name))); \
        }                                                                                   \
    } while (0)

#endif
