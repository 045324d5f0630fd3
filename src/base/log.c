#include "base/log.h"

#include "base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024, TEXT_MAX_BYTES = 256 };

static struct {
    int fd;
    const char *process;
    enum log_level least;
    atomic_uint dropped;
} sink = {STDERR_FILENO, "itl", LOG_INFO, 0};

struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
};

void log_open(int fd, const char *process, enum log_level least)
{
    sink.fd = fd;
    sink.process = process;
    sink.least = least;
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
        return "error";
    }
    return "error";
}

/* Room is kept for the closing brace and line end; what does not fit is left out whole. */
static bool append(struct line *line, const char *text, size_t len)
{
    if (line->len + len > sizeof line->text - 3) {
        return false;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

static size_t escape(const char *text, char *out, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; text[i] && i < TEXT_MAX_BYTES && len + 7 < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            out[len++] = '\\';
            out[len++] = (char)c;
        } else if (c < 0x20 || c >= 0x7f) {
            len += (size_t)snprintf(out + len, size - len, "\\u%04x", (unsigned)c);
        } else {
            out[len++] = (char)c;
        }
    }
    return len;
}

static void append_text(struct line *line, const char *key, const char *value)
{
    char part[TEXT_MAX_BYTES * 6 + 64];
    int len = snprintf(part, 64, ",\"%.48s\":\"", key);
    size_t end = (size_t)len + escape(value ? value : "", part + len, sizeof part - (size_t)len - 2);
    part[end++] = '"';
    append(line, part, end);
}

static void append_number(struct line *line, const char *key, int64_t value)
{
    char part[96];
    int len = snprintf(part, sizeof part, ",\"%.48s\":%lld", key, (long long)value);
    append(line, part, (size_t)len);
}

static void append_field(struct line *line, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_KIND_NONE:
        return;
    case LOG_KIND_TEXT:
        append_text(line, field->key, field->text);
        return;
    case LOG_KIND_NUMBER:
        append_number(line, field->key, field->number);
        return;
    case LOG_KIND_ERR:
        append_text(line, field->key, err_reason(field->error));
        return;
    }
}

void log_event_fields(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    if (level < sink.least) {
        return;
    }
    struct line line = {.len = 0};
    char time[CLOCK_TEXT_SIZE];
    clock_format(clock_utc_ms(), time);
    char head[128];
    int len = snprintf(head, sizeof head, "{\"time\":\"%s\",\"level\":\"%s\"", time, level_name(level));
    append(&line, head, (size_t)len);
    append_text(&line, "process", sink.process);
    append_number(&line, "pid", getpid());
    append_text(&line, "event", event);
    for (size_t i = 0; i < count; i++) {
        append_field(&line, &fields[i]);
    }
    unsigned dropped = atomic_exchange(&sink.dropped, 0);
    if (dropped) {
        append_number(&line, "dropped", dropped);
    }
    line.text[line.len++] = '}';
    line.text[line.len++] = '\n';
    ssize_t put = write(sink.fd, line.text, line.len);
    if (put != (ssize_t)line.len) {
        atomic_fetch_add(&sink.dropped, dropped + 1);
    }
}

enum log_level log_level_of(err_t e)
{
    switch (err_class(e)) {
    case ERR_CLASS_NONE:
    case ERR_CLASS_STATE:
        return LOG_INFO;
    case ERR_CLASS_INPUT:
    case ERR_CLASS_DENIED:
    case ERR_CLASS_LIMIT:
        return LOG_WARN;
    case ERR_CLASS_DEVICE:
    case ERR_CLASS_IO:
    case ERR_CLASS_BUG:
        return LOG_ERROR;
    }
    return LOG_ERROR;
}
