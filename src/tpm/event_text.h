/* Text made of what stands in event logs, fit for a terminal, a claim or JSON: valid UTF-8 without
 * control characters, bounded. Line breaks and tabs become \n, \r and \t, other bytes that are no
 * clean text \xNN, code units \uNNNN; a backslash stays one, because paths are full of them. */
#ifndef ITL_TPM_EVENT_TEXT_H
#define ITL_TPM_EVENT_TEXT_H

#include "base/bytes.h"

enum {
    EVENT_TEXT_MAX_BYTES = 4096, /* the longest kernel command line of Linux (COMMAND_LINE_SIZE is
                                    2048 on x86, 4096 elsewhere) */
    EVENT_GUID_BYTES = 16,
    EVENT_GUID_TEXT_SIZE = 37
};

/* Start with event_text_clear. What does not fit is left out, "…" says so at the end, and `cut` is
 * set. */
struct event_text {
    char text[EVENT_TEXT_MAX_BYTES + 4];
    size_t len;
    bool cut;
};

void event_text_clear(struct event_text *t);
void event_text_put(struct event_text *t, const char *text);
void event_text_printf(struct event_text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void event_text_put_hex(struct event_text *t, struct view bytes);

/* ASCII or UTF-8. */
void event_text_put_utf8(struct event_text *t, struct view text);

/* UTF-16LE, as UEFI has it; surrogate pairs are joined, an odd last byte is shown as such. */
void event_text_put_utf16(struct event_text *t, struct view text);

/* EFI_GUID, its first three fields little-endian: "8be4df61-93ca-11d2-aa0d-00e098032b8c". */
void event_text_put_guid(struct event_text *t, const uint8_t guid[static EVENT_GUID_BYTES]);
void event_guid_text(const uint8_t guid[static EVENT_GUID_BYTES],
                     char out_text[static EVENT_GUID_TEXT_SIZE]);

/* Without the NULs at the end: one byte or one code unit each. */
struct view event_text_trim(struct view text);
struct view event_text_trim_utf16(struct view text);

/* Looks like text: only printable ASCII and white space; or UTF-16LE of such, at least two
 * characters. Empty is neither. */
bool event_text_is_ascii(struct view text);
bool event_text_is_utf16(struct view text);

#endif
