#include "log_builder.h"

#include "cmocka_all.h"

#include <openssl/evp.h>
#include <string.h>

enum { LOG_MAX = 4 << 20 };

struct buf *log_new(void)
{
    struct buf *log = NULL;
    assert_ok(buf_new(LOG_MAX, &log));
    return log;
}

static void put_little_endian(struct buf *log, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        assert_ok(buf_put_u8(log, (uint8_t)(value >> (8 * i))));
    }
}

void log_u16(struct buf *log, uint16_t value)
{
    put_little_endian(log, value, 2);
}

void log_u32(struct buf *log, uint32_t value)
{
    put_little_endian(log, value, 4);
}

void log_u64(struct buf *log, uint64_t value)
{
    put_little_endian(log, value, 8);
}

static void put_digest(struct buf *log, uint16_t alg, struct view measured)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const struct event_bank *bank = event_bank_of(alg);
    assert_non_null(bank);
    assert_int_equal(EVP_Digest(measured.data, measured.len, digest, &len, bank->md(), NULL), 1);
    assert_ok(buf_put(log, view_of(digest, len)));
}

static void put_data(struct buf *log, struct view data)
{
    log_u32(log, (uint32_t)data.len);
    assert_ok(buf_put(log, data));
}

void log_legacy(struct buf *log, uint32_t pcr, uint32_t type, struct view measured,
                struct view data)
{
    log_u32(log, pcr);
    log_u32(log, type);
    put_digest(log, TPM_ALG_SHA1, measured);
    put_data(log, data);
}

void log_header(struct buf *log, const uint16_t *algs, size_t count)
{
    AUTO(buf) data = log_new();
    assert_ok(buf_put(data, view_of("Spec ID Event03", 16)));
    log_u32(data, 0);
    assert_ok(buf_put(data, view_of("\x00\x02\x00\x02", 4)));
    log_u32(data, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        log_u16(data, algs[i]);
        log_u16(data, event_bank_of(algs[i])->size);
    }
    assert_ok(buf_put_u8(data, 0));
    log_u32(log, 0);
    log_u32(log, EV_NO_ACTION);
    assert_ok(buf_put(log, view_of((uint8_t[20]){0}, 20)));
    put_data(log, buf_view(data));
}

void log_event(struct buf *log, const uint16_t *algs, size_t count, uint32_t pcr, uint32_t type,
               struct view measured, struct view data)
{
    log_u32(log, pcr);
    log_u32(log, type);
    log_u32(log, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        log_u16(log, algs[i]);
        put_digest(log, algs[i], measured);
    }
    put_data(log, data);
}

static const uint16_t only_sha256[] = {TPM_ALG_SHA256};

void log_start(struct buf *log)
{
    log_header(log, only_sha256, 1);
}

void log_measure_other(struct buf *log, uint32_t pcr, uint32_t type, struct view measured,
                       struct view data)
{
    log_event(log, only_sha256, 1, pcr, type, measured, data);
}

void log_measure(struct buf *log, uint32_t pcr, uint32_t type, struct view data)
{
    log_measure_other(log, pcr, type, data, data);
}

void log_separators(struct buf *log)
{
    for (uint32_t pcr = 0; pcr < 8; pcr++) {
        log_measure(log, pcr, EV_SEPARATOR, view_of("\0\0\0\0", 4));
    }
}

struct buf *log_utf16(const char *text)
{
    struct buf *wide = log_new();
    for (; *text; text++) {
        log_u16(wide, (uint8_t)*text);
    }
    return wide;
}

struct buf *log_variable(const char *name, struct view value)
{
    struct buf *data = log_new();
    AUTO(buf) wide = log_utf16(name);
    assert_ok(buf_put(data, view_of((uint8_t[16]){0}, 16)));
    log_u64(data, strlen(name));
    log_u64(data, value.len);
    assert_ok(buf_put(data, buf_view(wide)));
    assert_ok(buf_put(data, value));
    return data;
}
