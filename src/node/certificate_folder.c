#include "node/certificate_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static const char current[] = "current";
static const char next[] = "current.new";
static const char name_start[] = "set-";

AUTO_DEFINE(DIR, DIR, closedir);

/* -- opening ----------------------------------------------------------------------------------- */

/* Keys go in there, so it must be nobody else's. */
static ERRFN check_owner(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return err_from_errno(errno);
    }
    ENSURE(st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0, CERTIFICATE_FOLDER);
    return OK;
}

ERRFN certificate_folder_open(const char *prefix, bool make, int *out_fd)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s.d", prefix);
    ENSURE(len > 0 && (size_t)len < sizeof path, TOO_LONG);
    if (make && mkdir(path, 0700) != 0 && errno != EEXIST) {
        return err_from_errno(errno);
    }
    AUTO(fd) fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    ENSURE(fd >= 0 || errno != ENOENT, NOT_FOUND);
    ENSURE(fd >= 0 || (errno != ENOTDIR && errno != ELOOP), CERTIFICATE_FOLDER);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    TRY(check_owner(fd));
    *out_fd = fd_steal(&fd);
    return OK;
}

ERRFN certificate_folder_lock(const char *prefix, bool make, int *out_fd)
{
    AUTO(fd) fd = FD_NONE;
    TRY(certificate_folder_open(prefix, make, &fd));
    while (flock(fd, LOCK_EX) != 0) {
        ENSURE(errno == EINTR, IO);
    }
    *out_fd = fd_steal(&fd);
    return OK;
}

/* -- numbers ----------------------------------------------------------------------------------- */

/* "set-7" is 7; 0 for what is no set's name. */
static uint64_t number_of(const char *name)
{
    const size_t start = sizeof name_start - 1;
    if (strncmp(name, name_start, start) != 0 || name[start] < '1' || name[start] > '9') {
        return 0;
    }
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(name + start, &end, 10);
    return *end == '\0' && errno == 0 ? number : 0;
}

static uint64_t current_number(int folder)
{
    char target[CERTIFICATE_FOLDER_NAME_SIZE] = "";
    ssize_t len = readlinkat(folder, current, target, sizeof target - 1);
    return len > 0 ? number_of(target) : 0;
}

/* A descriptor of its own, because closedir closes it. */
static ERRFN list(int folder, DIR **out_dir)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        err_t e = err_from_errno(errno);
        if (fd >= 0) {
            close(fd);
        }
        return e;
    }
    *out_dir = dir;
    return OK;
}

/* The highest number below `limit`; 0 for none. */
static ERRFN highest_below(int folder, uint64_t limit, uint64_t *out_number)
{
    AUTO(DIR) dir = NULL;
    uint64_t highest = 0;
    TRY(list(folder, &dir));
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        uint64_t number = number_of(entry->d_name);
        highest = number < limit && number > highest ? number : highest;
    }
    *out_number = highest;
    return OK;
}

/* -- a new set --------------------------------------------------------------------------------- */

ERRFN certificate_folder_begin(int folder, char out_name[static CERTIFICATE_FOLDER_NAME_SIZE],
                               int *out_fd)
{
    uint64_t highest = 0;
    TRY(highest_below(folder, UINT64_MAX, &highest));
    ENSURE(highest < UINT64_MAX - 1, IO);
    snprintf(out_name, CERTIFICATE_FOLDER_NAME_SIZE, "%s%llu", name_start,
             (unsigned long long)highest + 1);
    if (mkdirat(folder, out_name, 0700) != 0) {
        return err_from_errno(errno);
    }
    int fd = openat(folder, out_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    *out_fd = fd;
    return OK;
}

static ERRFN link_next(int folder, const char *name)
{
    bool made = unlinkat(folder, next, 0) == 0 || errno == ENOENT;
    if (!made || symlinkat(name, folder, next) != 0) {
        return err_from_errno(errno);
    }
    return OK;
}

ERRFN certificate_folder_commit(int folder, const char *name)
{
    TRY(link_next(folder, name));
    if (renameat(folder, next, folder, current) != 0 || fsync(folder) != 0) {
        return err_from_errno(errno);
    }
    return OK;
}

ERRFN certificate_folder_rehearse(int folder, const char *name)
{
    TRY(link_next(folder, name));
    if (fsync(folder) != 0 || unlinkat(folder, next, 0) != 0) {
        return err_from_errno(errno);
    }
    return OK;
}

/* -- removal ----------------------------------------------------------------------------------- */

static void empty(int set)
{
    AUTO(DIR) dir = NULL;
    if (!IS_OK(list(set, &dir))) {
        return;
    }
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        (void)unlinkat(set, entry->d_name, 0);
    }
}

void certificate_folder_remove(int folder, const char *name)
{
    AUTO(fd) set = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (set >= 0 && current_number(folder) != number_of(name)) {
        (void)fchmod(set, 0700); /* a finished set is not even its owner's to change */
        empty(set);
        (void)unlinkat(folder, name, AT_REMOVEDIR);
    }
}

ERRFN certificate_folder_tidy(int folder)
{
    AUTO(DIR) dir = NULL;
    uint64_t in_force = current_number(folder);
    uint64_t before = 0;
    (void)unlinkat(folder, next, 0);
    TRY(highest_below(folder, in_force ? in_force : UINT64_MAX, &before));
    TRY(list(folder, &dir));
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        uint64_t number = number_of(entry->d_name);
        if (number != 0 && number != in_force && number != before) {
            certificate_folder_remove(folder, entry->d_name);
        }
    }
    return OK;
}
