/* Owned and borrowed bytes. Secret bytes that must not reach swap or a core file live in secret.h. */
#ifndef ITL_BASE_BYTES_H
#define ITL_BASE_BYTES_H

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: never outlives the owner, never freed. Data may be NULL only when len is 0. */
struct view {
    const uint8_t *data;
    size_t len;
};

/* Owned, growing bytes with a hard maximum; wiped when freed. Read data and len freely, change them only through
 * the functions below. */
struct buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max;
};

/* An empty buffer that can grow to max bytes. Errors: NO_MEMORY. */
ERRFN buf_new(size_t max, struct buf **out_buf);

/* A buffer holding a copy of `bytes`, which may not grow further. */
ERRFN buf_copy(struct view bytes, struct buf **out_buf);

/* Wipes and frees; accepts NULL. */
void buf_free(struct buf *b);

AUTO_DEFINE(buf, struct buf, buf_free);

/* Appends. Errors: TOO_LONG when max would be passed (nothing is appended then), NO_MEMORY. Integers are big-endian. */
ERRFN buf_put(struct buf *b, struct view bytes);
ERRFN buf_put_u8(struct buf *b, uint8_t value);
ERRFN buf_put_u16(struct buf *b, uint16_t value);
ERRFN buf_put_u32(struct buf *b, uint32_t value);
ERRFN buf_put_u64(struct buf *b, uint64_t value);
ERRFN buf_put_text(struct buf *b, const char *text);
ERRFN buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends `len` zero bytes and hands out where they are, valid until the next append. */
ERRFN buf_extend(struct buf *b, size_t len, uint8_t **out_at);

/* Drops everything from `len` on, wiping it; len may not be more than the buffer holds. */
void buf_truncate(struct buf *b, size_t len);

/* Drops the first `len` bytes, moving the rest to the front. */
void buf_consume(struct buf *b, size_t len);

struct view buf_view(const struct buf *b);

struct view view_of(const void *data, size_t len);
struct view view_text(const char *text);
#define VIEW_EMPTY ((struct view){NULL, 0})

/* Same length and content. Not constant time: only for public bytes. */
bool view_equal(struct view a, struct view b);
bool view_is(struct view v, const char *text);

/* Same length and content, in time that depends on the length only. */
bool view_equal_secret(struct view a, struct view b);

/* Readers take from the front of `v`, big-endian. Errors: the caller's `short_err` when too few bytes are left; the view
 * is then unchanged. */
ERRFN view_get_u8(struct view *v, uint8_t *out_value, err_t short_err);
ERRFN view_get_u16(struct view *v, uint16_t *out_value, err_t short_err);
ERRFN view_get_u32(struct view *v, uint32_t *out_value, err_t short_err);
ERRFN view_get_u64(struct view *v, uint64_t *out_value, err_t short_err);
ERRFN view_get_bytes(struct view *v, size_t len, struct view *out_bytes, err_t short_err);

/* Copies into a NUL-terminated array of `size` bytes. Errors: TOO_LONG when it does not fit with its NUL, FIELD_INVALID
 * when the view holds a NUL. */
ERRFN view_to_text(struct view v, char *out_text, size_t size);

/* Wipes memory in a way the compiler does not remove. */
void bytes_wipe(void *data, size_t len);

#endif
