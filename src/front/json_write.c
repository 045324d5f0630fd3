#include "front/json_write.h"

#include "base/clock.h"
#include "base/text.h"

/* Does one step unless an earlier one failed. */
#define STEP(w, expr)             \
    do {                          \
        if (IS_OK((w)->failed)) { \
            (w)->failed = (expr); \
        }                         \
    } while (0)

static ERRFN put_escaped(struct buf *out, uint8_t c)
{
    switch (c) {
    case '"':
        return buf_put_text(out, "\\\"");
    case '\\':
        return buf_put_text(out, "\\\\");
    default:
        return buf_printf(out, "\\u%04x", c);
    }
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static ERRFN put_string(struct buf *out, struct view text)
{
    TRY(buf_put_u8(out, '"'));
    while (text.len > 0) {
        size_t plain = 0;
        while (plain < text.len && is_plain(text.data[plain])) {
            plain++;
        }
        TRY(buf_put(out, view_of(text.data, plain)));
        if (plain < text.len) {
            TRY(put_escaped(out, text.data[plain]));
            plain++;
        }
        text.data += plain;
        text.len -= plain;
    }
    return buf_put_u8(out, '"');
}

static void begin_value(struct json_writer *w, const char *name)
{
    if (w->comma) {
        STEP(w, buf_put_u8(w->out, ','));
    }
    if (name) {
        STEP(w, put_string(w->out, view_text(name)));
        STEP(w, buf_put_u8(w->out, ':'));
    }
    w->comma = true;
}

void json_open(struct json_writer *w, const char *name, char bracket)
{
    begin_value(w, name);
    STEP(w, buf_put_u8(w->out, (uint8_t)bracket));
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    STEP(w, buf_put_u8(w->out, (uint8_t)bracket));
    w->comma = true;
}

void json_put_text(struct json_writer *w, const char *name, struct view text)
{
    begin_value(w, name);
    STEP(w, put_string(w->out, text));
}

void json_put_base64(struct json_writer *w, const char *name, struct view bytes)
{
    begin_value(w, name);
    STEP(w, buf_put_u8(w->out, '"'));
    STEP(w, buf_put_base64(w->out, bytes));
    STEP(w, buf_put_u8(w->out, '"'));
}

void json_put_hex(struct json_writer *w, const char *name, struct view bytes)
{
    begin_value(w, name);
    STEP(w, buf_put_u8(w->out, '"'));
    STEP(w, buf_put_hex(w->out, bytes));
    STEP(w, buf_put_u8(w->out, '"'));
}

static void put_word(struct json_writer *w, const char *name, const char *word)
{
    begin_value(w, name);
    STEP(w, buf_put_text(w->out, word));
}

void json_put_number(struct json_writer *w, const char *name, uint64_t number)
{
    begin_value(w, name);
    STEP(w, buf_printf(w->out, "%llu", (unsigned long long)number));
}

void json_put_bool(struct json_writer *w, const char *name, bool value)
{
    put_word(w, name, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *name)
{
    put_word(w, name, "null");
}

void json_put_text_or_null(struct json_writer *w, const char *name, struct view text)
{
    if (text.len > 0) {
        json_put_text(w, name, text);
    } else {
        json_put_null(w, name);
    }
}

void json_put_time(struct json_writer *w, const char *name, uint64_t utc_ms)
{
    char text[CLOCK_TEXT_SIZE];
    if (utc_ms == 0) {
        json_put_null(w, name);
        return;
    }
    clock_format(utc_ms, text);
    json_put_text(w, name, view_text(text));
}

ERRFN json_write_end(const struct json_writer *w)
{
    return w->failed;
}
