/* Builds event logs event by event, so that tests can get each field wrong. */
#ifndef ITL_TESTS_TPM_LOG_BUILDER_H
#define ITL_TESTS_TPM_LOG_BUILDER_H

#include "base/bytes.h"
#include "tpm/event_log.h"

/* An empty log; free with buf_free. */
struct buf *log_new(void);

/* Little-endian numbers. */
void log_u16(struct buf *log, uint16_t value);
void log_u32(struct buf *log, uint32_t value);
void log_u64(struct buf *log, uint64_t value);

/* A whole record of the old form, with SHA-1 of `measured` as its digest. */
void log_legacy(struct buf *log, uint32_t pcr, uint32_t type, struct view measured,
                struct view data);

/* The crypto-agile header with these algorithms; the digest sizes are the right ones. */
void log_header(struct buf *log, const uint16_t *algs, size_t count);

/* A record with digests of `measured` in these algorithms. */
void log_event(struct buf *log, const uint16_t *algs, size_t count, uint32_t pcr, uint32_t type,
               struct view measured, struct view data);

/* What most tests want: SHA-256 only, the data is what was measured. */
void log_start(struct buf *log);
void log_measure(struct buf *log, uint32_t pcr, uint32_t type, struct view data);
void log_measure_other(struct buf *log, uint32_t pcr, uint32_t type, struct view measured,
                       struct view data);
void log_separators(struct buf *log);

/* UEFI_VARIABLE_DATA with a zero GUID. */
struct buf *log_variable(const char *name, struct view value);

/* UTF-16LE without a NUL. */
struct buf *log_utf16(const char *text);

#endif
