#include "base/bytes.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_CAP = 256 };

ERRFN buf_new(size_t max, struct buf **out_buf)
{
    struct buf *b = calloc(1, sizeof *b);
    ENSURE(b, NO_MEMORY);
    b->max = max;
    *out_buf = b;
    return OK;
}

ERRFN buf_copy(struct view bytes, struct buf **out_buf)
{
    AUTO(buf) b = NULL;
    TRY(buf_new(bytes.len, &b));
    TRY(buf_put(b, bytes));
    *out_buf = STEAL(b);
    return OK;
}

void buf_free(struct buf *b)
{
    if (!b) {
        return;
    }
    if (b->data) {
        bytes_wipe(b->data, b->cap);
        free(b->data);
    }
    free(b);
}

/* realloc would leave a copy of the old bytes behind, unwiped. */
static ERRFN grow(struct buf *b, size_t more)
{
    ENSURE(more <= b->max && b->len <= b->max - more, TOO_LONG);
    size_t need = b->len + more;
    if (need <= b->cap) {
        return OK;
    }
    size_t cap = b->cap ? b->cap : BUF_FIRST_CAP;
    while (cap < need) {
        cap = cap > b->max / 2 ? b->max : cap * 2;
    }
    cap = cap > b->max ? b->max : cap;
    uint8_t *data = malloc(cap);
    ENSURE(data, NO_MEMORY);
    if (b->data) {
        memcpy(data, b->data, b->len);
        bytes_wipe(b->data, b->cap);
        free(b->data);
    }
    b->data = data;
    b->cap = cap;
    return OK;
}

ERRFN buf_extend(struct buf *b, size_t len, uint8_t **out_at)
{
    TRY(grow(b, len));
    if (len > 0) {
        memset(b->data + b->len, 0, len);
    }
    *out_at = b->len > 0 ? b->data + b->len : b->data; /* no arithmetic on the NULL of an empty buffer */
    b->len += len;
    return OK;
}

ERRFN buf_put(struct buf *b, struct view bytes)
{
    if (bytes.len == 0) {
        return OK;
    }
    TRY(grow(b, bytes.len));
    memcpy(b->data + b->len, bytes.data, bytes.len);
    b->len += bytes.len;
    return OK;
}

static ERRFN put_integer(struct buf *b, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < width; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    }
    return buf_put(b, view_of(bytes, width));
}

ERRFN buf_put_u8(struct buf *b, uint8_t value)
{
    return put_integer(b, value, 1);
}

ERRFN buf_put_u16(struct buf *b, uint16_t value)
{
    return put_integer(b, value, 2);
}

ERRFN buf_put_u32(struct buf *b, uint32_t value)
{
    return put_integer(b, value, 4);
}

ERRFN buf_put_u64(struct buf *b, uint64_t value)
{
    return put_integer(b, value, 8);
}

ERRFN buf_put_text(struct buf *b, const char *text)
{
    return buf_put(b, view_text(text));
}

ERRFN buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ENSURE(len >= 0, BUG);

    /* One more than the text, because vsnprintf ends it with a NUL that the buffer then drops. */
    size_t text_len = (size_t)len;
    size_t old_max = b->max;
    ENSURE(text_len <= b->max && b->len <= b->max - text_len, TOO_LONG);
    b->max = old_max + 1;
    uint8_t *at;
    err_t grown = buf_extend(b, text_len + 1, &at);
    b->max = old_max;
    TRY(grown);
    va_start(args, format);
    vsnprintf((char *)at, text_len + 1, format, args);
    va_end(args);
    b->len--;
    return OK;
}

void buf_truncate(struct buf *b, size_t len)
{
    if (len < b->len) {
        bytes_wipe(b->data + len, b->len - len);
        b->len = len;
    }
}

void buf_consume(struct buf *b, size_t len)
{
    if (len >= b->len) {
        buf_truncate(b, 0);
        return;
    }
    size_t rest = b->len - len;
    memmove(b->data, b->data + len, rest);
    buf_truncate(b, rest);
}

struct view buf_view(const struct buf *b)
{
    return (struct view){b->data, b->len};
}

struct view view_of(const void *data, size_t len)
{
    return (struct view){data, len};
}

struct view view_text(const char *text)
{
    return (struct view){(const uint8_t *)text, strlen(text)};
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool view_is(struct view v, const char *text)
{
    return view_equal(v, view_text(text));
}

bool view_equal_secret(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || sodium_memcmp(a.data, b.data, a.len) == 0);
}

static ERRFN get_integer(struct view *v, size_t width, uint64_t *out_value, err_t short_err)
{
    if (v->len < width) {
        return short_err;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value = value << 8 | v->data[i];
    }
    v->data += width;
    v->len -= width;
    *out_value = value;
    return OK;
}

ERRFN view_get_u8(struct view *v, uint8_t *out_value, err_t short_err)
{
    uint64_t value = 0;
    TRY(get_integer(v, 1, &value, short_err));
    *out_value = (uint8_t)value;
    return OK;
}

ERRFN view_get_u16(struct view *v, uint16_t *out_value, err_t short_err)
{
    uint64_t value = 0;
    TRY(get_integer(v, 2, &value, short_err));
    *out_value = (uint16_t)value;
    return OK;
}

ERRFN view_get_u32(struct view *v, uint32_t *out_value, err_t short_err)
{
    uint64_t value = 0;
    TRY(get_integer(v, 4, &value, short_err));
    *out_value = (uint32_t)value;
    return OK;
}

ERRFN view_get_u64(struct view *v, uint64_t *out_value, err_t short_err)
{
    return get_integer(v, 8, out_value, short_err);
}

ERRFN view_get_bytes(struct view *v, size_t len, struct view *out_bytes, err_t short_err)
{
    if (v->len < len) {
        return short_err;
    }
    *out_bytes = view_of(v->data, len);
    v->data = len ? v->data + len : v->data;
    v->len -= len;
    return OK;
}

ERRFN view_to_text(struct view v, char *out_text, size_t size)
{
    ENSURE(v.len < size, TOO_LONG);
    ENSURE(v.len == 0 || !memchr(v.data, 0, v.len), FIELD_INVALID);
    if (v.len > 0) {
        memcpy(out_text, v.data, v.len);
    }
    out_text[v.len] = '\0';
    return OK;
}

void bytes_wipe(void *data, size_t len)
{
    sodium_memzero(data, len);
}
