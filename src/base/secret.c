#include "base/secret.h"

#include "base/fd.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ERRFN secret_setup(void)
{
    ENSURE(sodium_init() >= 0, BUG);
    return OK;
}

ERRFN secret_new(size_t len, struct secret **out_secret)
{
    struct secret *s = calloc(1, sizeof *s);
    ENSURE(s, NO_MEMORY);
    s->data = sodium_malloc(len + 1);
    if (!s->data) {
        free(s);
        return E(NO_MEMORY);
    }
    memset(s->data, 0, len + 1);
    s->len = len;
    *out_secret = s;
    return OK;
}

ERRFN secret_copy(struct view bytes, struct secret **out_secret)
{
    struct secret *s;
    TRY(secret_new(bytes.len, &s));
    if (bytes.len > 0) {
        memcpy(s->data, bytes.data, bytes.len);
    }
    *out_secret = s;
    return OK;
}

ERRFN secret_random(size_t len, struct secret **out_secret)
{
    struct secret *s;
    TRY(secret_new(len, &s));
    random_bytes(s->data, len);
    *out_secret = s;
    return OK;
}

static void strip_line_end(struct secret *s)
{
    if (s->len > 0 && s->data[s->len - 1] == '\n') {
        s->data[--s->len] = '\0';
    }
    if (s->len > 0 && s->data[s->len - 1] == '\r') {
        s->data[--s->len] = '\0';
    }
}

ERRFN secret_read_file(const char *path, size_t max, struct secret **out_secret)
{
    AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ENSURE(fd >= 0, CONFIG_UNREADABLE);
    struct stat st;
    ENSURE(fstat(fd, &st) == 0 && S_ISREG(st.st_mode), CONFIG_UNREADABLE);
    ENSURE((st.st_mode & (S_IRWXG | S_IRWXO)) == 0, CONFIG_INVALID);
    ENSURE(st.st_size >= 0 && (size_t)st.st_size <= max, TOO_LONG);

    AUTO(secret) s = NULL;
    TRY(secret_new((size_t)st.st_size, &s));
    TRY(fd_read_full(fd, s->data, s->len));
    strip_line_end(s);
    ENSURE(s->len > 0, CONFIG_INVALID);
    *out_secret = STEAL(s);
    return OK;
}

void secret_free(struct secret *s)
{
    if (s) {
        sodium_free(s->data); /* wipes */
        free(s);
    }
}

struct view secret_view(const struct secret *s)
{
    return view_of(s->data, s->len);
}
