/* cmocka with the headers it wants before it, and how this folder looks at err_t. */
#ifndef ITL_TESTS_FRONT_CHECK_H
#define ITL_TESTS_FRONT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

#define assert_ok(expr)        assert_string_equal(err_reason(expr), "ok")
#define assert_err(expr, name) assert_string_equal(err_reason(expr), err_reason(E(name)))

#endif
