#include "base/err.h"

#include <errno.h>
#include <stddef.h>

struct err_row {
    enum err_class class;
    const char *reason;
    const char *text;
};

static const struct err_row rows[ERR_CODE_COUNT] = {
    [ERR_CODE_NONE] = {ERR_CLASS_NONE, "ok", "Success."},
#define ERR(name, cls, reason_, text_) [ERR_CODE_##name] = {ERR_CLASS_##cls, reason_, text_},
#include "base/err.def"
#undef ERR
};

static const struct err_row *row_of(err_t e)
{
    return &rows[e.code < ERR_CODE_COUNT ? e.code : ERR_CODE_BUG];
}

enum err_class err_class(err_t e)
{
    return row_of(e)->class;
}

const char *err_reason(err_t e)
{
    return row_of(e)->reason;
}

const char *err_text(err_t e)
{
    return row_of(e)->text;
}

err_t err_from_code(uint16_t code)
{
    if (code >= ERR_CODE_COUNT) {
        return E(BUG);
    }
    return (err_t){code};
}

err_t err_from_errno(int error_number)
{
    switch (error_number) {
    case ENOMEM:
        return E(NO_MEMORY);
    case ENOSPC:
    case EDQUOT:
        return E(DB_FULL);
    case ETIMEDOUT:
        return E(TIMEOUT);
    case EPIPE:
    case ECONNRESET:
        return E(PEER_GONE);
    case EADDRINUSE:
        return E(PORT_IN_USE);
    default:
        return E(IO);
    }
}
