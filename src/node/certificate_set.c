#include "node/certificate_set.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "node/certificate_folder.h"
#include "node/certificate_links.h"

enum {
    KEY_PEM_MAX_BYTES = 4096, /* P-384 takes 306 */
    USUAL_KEY_BYTES = 306,
    USUAL_CERTIFICATE_BYTES = 1500
};

static const struct {
    const char *key;
    const char *certificate;
} names[CERTIFICATE_KINDS] = {[CERTIFICATE_ENROLLMENT] = {"enrollment.key", "enrollment.crt"},
                              [CERTIFICATE_SVID] = {"svid.key", "svid.crt"}};
static const char ca_name[] = "ca.crt";

void certificate_pair_clear(struct certificate_pair *pair)
{
    secret_free(STEAL(pair->key));
    buf_free(STEAL(pair->certificate));
}

void certificate_set_clear(struct certificate_set *set)
{
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        certificate_pair_clear(&set->pairs[i]);
    }
    buf_free(STEAL(set->ca));
}

/* -- reading ----------------------------------------------------------------------------------- */

static ERRFN open_file(int set, const char *name, size_t max, int *out_fd, size_t *out_len)
{
    struct stat st;
    AUTO(fd) fd = openat(set, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ENSURE(fd >= 0, NOT_FOUND);
    ENSURE(fstat(fd, &st) == 0 && S_ISREG(st.st_mode), IO);
    ENSURE(st.st_size > 0 && (uint64_t)st.st_size <= max, TOO_LONG);
    *out_fd = fd_steal(&fd);
    *out_len = (size_t)st.st_size;
    return OK;
}

static ERRFN read_file(int set, const char *name, struct buf **out_content)
{
    AUTO(fd) fd = FD_NONE;
    AUTO(buf) content = NULL;
    size_t len = 0;
    uint8_t *at = NULL;
    TRY(open_file(set, name, CERTIFICATE_PEM_MAX_BYTES, &fd, &len));
    TRY(buf_new(len, &content));
    TRY(buf_extend(content, len, &at));
    TRY(fd_read_full(fd, at, len));
    *out_content = STEAL(content);
    return OK;
}

static ERRFN read_key(int set, const char *name, struct secret **out_key)
{
    AUTO(fd) fd = FD_NONE;
    AUTO(secret) key = NULL;
    size_t len = 0;
    TRY(open_file(set, name, KEY_PEM_MAX_BYTES, &fd, &len));
    TRY(secret_new(len, &key));
    TRY(fd_read_full(fd, key->data, len));
    *out_key = STEAL(key);
    return OK;
}

static ERRFN read_pair(int set, size_t kind, struct certificate_pair *out_pair)
{
    AUTO(secret) key = NULL;
    TRY(read_key(set, names[kind].key, &key));
    TRY(read_file(set, names[kind].certificate, &out_pair->certificate));
    out_pair->key = STEAL(key);
    return OK;
}

ERRFN certificate_set_read(const char *prefix, struct certificate_set *out_set)
{
    AUTO(fd) folder = FD_NONE;
    struct certificate_set set = {0};
    TRY(certificate_folder_open(prefix, false, &folder));
    AUTO(fd) in_force = openat(folder, "current", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ENSURE(in_force >= 0, NOT_FOUND);
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        IGNORE_ERR(read_pair(in_force, i, &set.pairs[i])); /* as good as none */
    }
    IGNORE_ERR(read_file(in_force, ca_name, &set.ca));
    *out_set = set;
    return OK;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* The mode from the first moment on; umask may only take from it. */
static ERRFN write_file(int set, const char *name, struct view content, mode_t mode)
{
    AUTO(fd) fd = openat(set, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    TRY(fd_write_full(fd, content.data, content.len));
    if (fchmod(fd, mode) != 0 || fsync(fd) != 0) {
        return err_from_errno(errno);
    }
    return OK;
}

static ERRFN write_files(int fd, const struct certificate_set *set)
{
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        const struct certificate_pair *pair = &set->pairs[i];
        if (pair->key && pair->certificate) {
            TRY(write_file(fd, names[i].key, secret_view(pair->key), 0400));
            TRY(write_file(fd, names[i].certificate, buf_view(pair->certificate), 0444));
        }
    }
    if (set->ca) {
        TRY(write_file(fd, ca_name, buf_view(set->ca), 0444));
    }
    if (fchmod(fd, 0500) != 0 || fsync(fd) != 0) {
        return err_from_errno(errno);
    }
    return OK;
}

/* Complete and on disk, but in nobody's sight. */
static ERRFN write_unseen(int folder, const struct certificate_set *set,
                          char out_name[static CERTIFICATE_FOLDER_NAME_SIZE])
{
    AUTO(fd) fd = FD_NONE;
    out_name[0] = '\0';
    TRY(certificate_folder_tidy(folder)); /* before, so that a full disk has room again */
    TRY(certificate_folder_begin(folder, out_name, &fd));
    return write_files(fd, set);
}

ERRFN certificate_set_write(const char *prefix, const struct certificate_set *set)
{
    char name[CERTIFICATE_FOLDER_NAME_SIZE];
    AUTO(fd) folder = FD_NONE;
    TRY(certificate_folder_lock(prefix, true, &folder));
    err_t done = write_unseen(folder, set, name);
    done = IS_OK(done) ? certificate_folder_commit(folder, name) : done;
    if (!IS_OK(done)) {
        certificate_folder_remove(folder, name);
        return done;
    }
    TRY(certificate_folder_tidy(folder));
    return certificate_links_make(prefix, set->pairs[CERTIFICATE_SVID].key != NULL);
}

static ERRFN make_blank(struct certificate_set *set)
{
    uint8_t *ignored;
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        TRY(secret_new(USUAL_KEY_BYTES, &set->pairs[i].key));
        TRY(buf_new(USUAL_CERTIFICATE_BYTES, &set->pairs[i].certificate));
        TRY(buf_extend(set->pairs[i].certificate, USUAL_CERTIFICATE_BYTES, &ignored));
    }
    TRY(buf_new(USUAL_CERTIFICATE_BYTES, &set->ca));
    return buf_extend(set->ca, USUAL_CERTIFICATE_BYTES, &ignored);
}

ERRFN certificate_set_rehearse(const char *prefix)
{
    char name[CERTIFICATE_FOLDER_NAME_SIZE];
    struct certificate_set blank = {0};
    AUTO(fd) folder = FD_NONE;
    TRY(certificate_folder_lock(prefix, true, &folder));
    err_t done = make_blank(&blank);
    if (IS_OK(done)) {
        done = write_unseen(folder, &blank, name);
        done = IS_OK(done) ? certificate_folder_rehearse(folder, name) : done;
        certificate_folder_remove(folder, name);
    }
    certificate_set_clear(&blank);
    return done;
}

/* The crash may also have come before the links. */
ERRFN certificate_set_tidy(const char *prefix)
{
    AUTO(fd) folder = FD_NONE;
    TRY(certificate_folder_lock(prefix, false, &folder));
    TRY(certificate_folder_tidy(folder));
    ENSURE(faccessat(folder, "current", F_OK, 0) == 0, NOT_FOUND);
    return certificate_links_make(prefix, faccessat(folder, "current/svid.key", F_OK, 0) == 0);
}
