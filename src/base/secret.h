/* Secret bytes in libsodium's guarded memory: locked, not dumped, between guard pages, wiped when freed. */
#ifndef ITL_BASE_SECRET_H
#define ITL_BASE_SECRET_H

#include "base/bytes.h"

struct secret {
    uint8_t *data; /* len bytes followed by a NUL, so that a PIN can be passed as text */
    size_t len;
};

/* `len` zero bytes. Errors: NO_MEMORY, also when the lock limit (RLIMIT_MEMLOCK) is reached. */
ERRFN secret_new(size_t len, struct secret **out_secret);

/* A copy of `bytes`; the caller wipes the original. */
ERRFN secret_copy(struct view bytes, struct secret **out_secret);

/* `len` bytes from the kernel's generator. */
ERRFN secret_random(size_t len, struct secret **out_secret);

/* The content of a file of at most `max` bytes, without one trailing line end, read straight into guarded memory. Meant for PINs
 * and keys: refuses a file that others than its owner may read or write. Errors: CONFIG_UNREADABLE, TOO_LONG, CONFIG_INVALID (permissions, or empty). */
ERRFN secret_read_file(const char *path, size_t max, struct secret **out_secret);

void secret_free(struct secret *s);
AUTO_DEFINE(secret, struct secret, secret_free);

struct view secret_view(const struct secret *s);

/* Call once per process before anything else here. */
ERRFN secret_setup(void);

#endif
