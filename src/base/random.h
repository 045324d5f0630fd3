/* The one source of randomness: the kernel's generator. */
#ifndef ITL_BASE_RANDOM_H
#define ITL_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT_SIZE = 37 }; /* 36 characters and a NUL */

/* Fills with random bytes; aborts the process when the kernel can't give any, because nothing may go on without. */
void random_bytes(void *out_bytes, size_t len);

/* One number, for jitter. */
uint32_t random_u32(void);

/* A version 4 UUID (RFC 9562 section 5.4) in lower case. */
void random_uuid(char out_text[static UUID_TEXT_SIZE]);

#endif
