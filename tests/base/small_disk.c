#include "tests/base/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"

static bool write_text(const char *path, const char *text)
{
    AUTO(fd) fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && IS_OK(fd_write_full(fd, text, strlen(text)));
}

/* What an ordinary user needs to mount: a user namespace with his user and group in it. */
static bool enter_user_namespace(void)
{
    char users[32];
    char groups[32];
    snprintf(users, sizeof users, "0 %u 1", (unsigned)getuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getgid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/uid_map", users) &&
           write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/gid_map", groups);
}

bool small_disk_mount(const char *folder, const char *options)
{
    return (unshare(CLONE_NEWNS) == 0 || enter_user_namespace()) &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("small", folder, "tmpfs", 0, options) == 0;
}

bool small_disk_unmount(const char *folder)
{
    return umount2(folder, MNT_DETACH) == 0;
}
