#include "tpm/event_text.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* All or nothing, so that no character is cut in two; after the first that does not fit, nothing
 * more comes. */
static void put(struct event_text *t, const char *bytes, size_t len)
{
    if (t->cut) {
        return;
    }
    if (len > EVENT_TEXT_MAX_BYTES - t->len) {
        static const char ellipsis[] = "\u2026";
        _Static_assert(sizeof ellipsis <= 4, "has its place behind the maximum");
        memcpy(t->text + t->len, ellipsis, sizeof ellipsis);
        t->len += sizeof ellipsis - 1;
        t->cut = true;
        return;
    }
    memcpy(t->text + t->len, bytes, len);
    t->len += len;
    t->text[t->len] = '\0';
}

void event_text_clear(struct event_text *t)
{
    t->text[0] = '\0';
    t->len = 0;
    t->cut = false;
}

void event_text_put(struct event_text *t, const char *text)
{
    put(t, text, strlen(text));
}

void event_text_printf(struct event_text *t, const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    event_text_put(t, line);
}

void event_text_put_hex(struct event_text *t, struct view bytes)
{
    enum { STEP = 64 }; /* what does not fit is left out in steps, too: nobody reads half a hash */
    while (bytes.len > 0 && !t->cut) {
        char digits[HEX_TEXT_SIZE(STEP)];
        size_t len = bytes.len < STEP ? bytes.len : STEP;
        hex_encode(view_of(bytes.data, len), digits);
        put(t, digits, 2 * len);
        bytes = view_of(bytes.data + len, bytes.len - len);
    }
}

static size_t sequence_length(struct view text)
{
    uint8_t first = text.data[0];
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    return len <= text.len && text_is_clean(view_of(text.data, len)) ? len : 0;
}

static void put_escape(struct event_text *t, uint8_t byte)
{
    switch (byte) {
    case '\n':
        event_text_put(t, "\\n");
        return;
    case '\r':
        event_text_put(t, "\\r");
        return;
    case '\t':
        event_text_put(t, "\\t");
        return;
    default:
        event_text_printf(t, "\\x%02x", byte);
        return;
    }
}

void event_text_put_utf8(struct event_text *t, struct view text)
{
    while (text.len > 0 && !t->cut) {
        size_t len = sequence_length(text);
        if (len > 0) {
            put(t, (const char *)text.data, len);
        } else {
            put_escape(t, text.data[0]);
            len = 1;
        }
        text.data += len;
        text.len -= len;
    }
}

/* A code point as UTF-8; false for a control character. */
static bool put_code_point(struct event_text *t, uint32_t c)
{
    uint8_t bytes[4];
    size_t len = 0;
    if (c < 0x80) {
        bytes[len++] = (uint8_t)c;
    } else if (c < 0x800) {
        bytes[len++] = (uint8_t)(0xc0 | c >> 6);
        bytes[len++] = (uint8_t)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        bytes[len++] = (uint8_t)(0xe0 | c >> 12);
        bytes[len++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        bytes[len++] = (uint8_t)(0x80 | (c & 0x3f));
    } else {
        bytes[len++] = (uint8_t)(0xf0 | c >> 18);
        bytes[len++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        bytes[len++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        bytes[len++] = (uint8_t)(0x80 | (c & 0x3f));
    }
    if (!text_is_clean(view_of(bytes, len))) {
        return false;
    }
    put(t, (const char *)bytes, len);
    return true;
}

static uint32_t unit_at(struct view text, size_t i)
{
    return i + 1 < text.len ? text.data[i] | (uint32_t)text.data[i + 1] << 8 : 0;
}

void event_text_put_utf16(struct event_text *t, struct view text)
{
    size_t i = 0;
    while (i + 1 < text.len && !t->cut) {
        uint32_t unit = unit_at(text, i);
        uint32_t next = unit_at(text, i + 2);
        bool pair = (unit & 0xfc00) == 0xd800 && (next & 0xfc00) == 0xdc00;
        uint32_t c = pair ? 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff) : unit;
        if (!put_code_point(t, c)) {
            event_text_printf(t, "\\u%04x", unit);
        }
        i += pair ? 4 : 2;
    }
    if (i < text.len && text.data[i] != 0) {
        event_text_printf(t, "\\x%02x", text.data[i]);
    }
}

void event_guid_text(const uint8_t guid[static EVENT_GUID_BYTES],
                     char out_text[static EVENT_GUID_TEXT_SIZE])
{
    static const uint8_t order[EVENT_GUID_BYTES] = {3, 2, 1,  0,  5,  4,  7,  6,
                                                    8, 9, 10, 11, 12, 13, 14, 15};
    char *at = out_text;
    for (size_t i = 0; i < EVENT_GUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        hex_encode(view_of(&guid[order[i]], 1), at);
        at += 2;
    }
}

void event_text_put_guid(struct event_text *t, const uint8_t guid[static EVENT_GUID_BYTES])
{
    char text[EVENT_GUID_TEXT_SIZE];
    event_guid_text(guid, text);
    event_text_put(t, text);
}

struct view event_text_trim(struct view text)
{
    while (text.len > 0 && text.data[text.len - 1] == 0) {
        text.len--;
    }
    return text;
}

struct view event_text_trim_utf16(struct view text)
{
    while (text.len > 1 && text.len % 2 == 0 && unit_at(text, text.len - 2) == 0) {
        text.len -= 2;
    }
    return text;
}

static bool is_printable(uint32_t c)
{
    return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

bool event_text_is_ascii(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_printable(text.data[i])) {
            return false;
        }
    }
    return text.len > 0;
}

bool event_text_is_utf16(struct view text)
{
    text = event_text_trim_utf16(text);
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        if (!is_printable(unit_at(text, i))) {
            return false;
        }
    }
    return text.len >= 4;
}
