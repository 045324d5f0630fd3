/* A file system that is soon full, for tests of what happens then. */
#ifndef ITL_TESTS_BASE_SMALL_DISK_H
#define ITL_TESTS_BASE_SMALL_DISK_H

#include <stdbool.h>

/* Mounts a tmpfs on a folder, with its options ("size=1m"), in a mount namespace of this process
 * alone; an ordinary user becomes root of a user namespace for that. False where a runner has no
 * namespaces to give. */
bool small_disk_mount(const char *folder, const char *options);

/* Also while files on it are open. */
bool small_disk_unmount(const char *folder);

#endif
