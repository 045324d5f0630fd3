/* Structured events, one JSON object a line on one descriptor, one write each. Names are static; values are typed and escaped.
 * Nothing from a peer goes in except through LOG_TEXT, which is cut and escaped. Only processes log; libraries return errors. */
#ifndef ITL_BASE_LOG_H
#define ITL_BASE_LOG_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG = 1, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_kind { LOG_KIND_NONE = 0, LOG_KIND_TEXT, LOG_KIND_NUMBER, LOG_KIND_ERR };

struct log_field {
    enum log_kind kind;
    const char *key;
    const char *text;
    int64_t number;
    err_t error;
};

#define LOG_TEXT(key_, value_) ((struct log_field){LOG_KIND_TEXT, key_, value_, 0, {0}})
#define LOG_NUMBER(key_, value_) ((struct log_field){LOG_KIND_NUMBER, key_, NULL, (int64_t)(value_), {0}})
#define LOG_ERR(value_) ((struct log_field){LOG_KIND_ERR, "reason", NULL, 0, value_})

/* Sets where events go and which process they name; until then they go to standard error. */
void log_open(int fd, const char *process, enum log_level least);

/* The line is {"time","level","process","pid","event",...}, cut at 1 KiB. Dropped, and counted in the next line's "dropped", when the
 * descriptor can't take it at once. */
void log_event_fields(enum log_level level, const char *event, const struct log_field *fields, size_t count);

#define log_event(level, event, ...)                                                               \
    log_event_fields(level, event, (const struct log_field[]){{0}, ##__VA_ARGS__},                 \
                     sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) / sizeof(struct log_field))

/* INFO for success and STATE, WARN for INPUT, DENIED and LIMIT, ERROR for the rest. */
enum log_level log_level_of(err_t e);

#endif
