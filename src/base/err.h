/* The one error type. Zero is success; everything else is a row of err.def with a class, a stable reason and a
 * sentence. Libraries return errors and never log; processes log events. */
#ifndef ITL_BASE_ERR_H
#define ITL_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

enum err_code {
    ERR_CODE_NONE = 0,
#define ERR(name, class, reason, text) ERR_CODE_##name,
#include "base/err.def"
#undef ERR
    ERR_CODE_COUNT
};

/* What kind of thing went wrong. HTTP status and log level follow from it. */
enum err_class {
    ERR_CLASS_NONE = 0,
    ERR_CLASS_INPUT,  /* the caller sent something malformed */
    ERR_CLASS_DENIED, /* well-formed, but not allowed or not proved */
    ERR_CLASS_STATE,  /* not now: the state of things does not allow it */
    ERR_CLASS_LIMIT,  /* a bound was reached */
    ERR_CLASS_DEVICE, /* token or TPM */
    ERR_CLASS_IO,     /* disk, network, kernel */
    ERR_CLASS_BUG     /* our own broken invariant */
};

/* A struct so that it can't be mixed up with an int or a bool. */
typedef struct {
    uint16_t code; /* enum err_code */
} err_t;

#define ERRFN __attribute__((warn_unused_result)) err_t

#define OK          ((err_t){ERR_CODE_NONE})
#define E(name)     ((err_t){ERR_CODE_##name})
#define IS_OK(e)    ((e).code == ERR_CODE_NONE)
#define IS_E(e, nm) ((e).code == ERR_CODE_##nm)

/* TRY and ENSURE are the only macros that return from the calling function. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        err_t try_err_ = (expr);                                                                   \
        if (!IS_OK(try_err_)) {                                                                    \
            return try_err_;                                                                       \
        }                                                                                          \
    } while (0)

#define ENSURE(cond, err_name)                                                                     \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            return E(err_name);                                                                    \
        }                                                                                          \
    } while (0)

/* Says that a result is of no interest, for example while cleaning up after another error. */
#define IGNORE_ERR(expr)                                                                           \
    do {                                                                                           \
        err_t ignored_err_ = (expr);                                                               \
        (void)ignored_err_;                                                                        \
    } while (0)

enum err_class err_class(err_t e);

/* Stable snake_case reason, never NULL; "ok" for success. */
const char *err_reason(err_t e);

/* A sentence for a person, never NULL. */
const char *err_text(err_t e);

/* The error with this code, or BUG for a code that no row has. */
err_t err_from_code(uint16_t code);

/* The error of errno's value `error_number`: ENOMEM, ENOSPC, ETIMEDOUT, EPIPE/ECONNRESET and EADDRINUSE have
 * their own, everything else is IO. The one place where errno is turned into err_t. */
err_t err_from_errno(int error_number);

#endif
