/* The kernel's Landlock interface (landlock(7), Linux 5.13 to 6.15, ABI 1 to 7), written down here
 * because the headers of the systems we build on are older than the kernels we run on. Names carry
 * our prefix so that both can be included. */
#ifndef ITL_SANDBOX_LANDLOCK_ABI_H
#define ITL_SANDBOX_LANDLOCK_ABI_H

#include <stdint.h>
#include <sys/syscall.h>

enum { LL_CREATE_RULESET_VERSION = 1, LL_RULE_PATH_BENEATH = 1, LL_RULE_NET_PORT = 2 };

struct ll_ruleset {
    uint64_t fs;
    uint64_t net;    /* ABI 4 */
    uint64_t scoped; /* ABI 6 */
};

struct ll_path_beneath {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

struct ll_net_port {
    uint64_t allowed;
    uint64_t port; /* host byte order */
};

#define LL_FS_EXECUTE     (UINT64_C(1) << 0)
#define LL_FS_WRITE_FILE  (UINT64_C(1) << 1)
#define LL_FS_READ_FILE   (UINT64_C(1) << 2)
#define LL_FS_READ_DIR    (UINT64_C(1) << 3)
#define LL_FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define LL_FS_REMOVE_FILE (UINT64_C(1) << 5)
#define LL_FS_MAKE_CHAR   (UINT64_C(1) << 6)
#define LL_FS_MAKE_DIR    (UINT64_C(1) << 7)
#define LL_FS_MAKE_REG    (UINT64_C(1) << 8)
#define LL_FS_MAKE_SOCK   (UINT64_C(1) << 9)
#define LL_FS_MAKE_FIFO   (UINT64_C(1) << 10)
#define LL_FS_MAKE_BLOCK  (UINT64_C(1) << 11)
#define LL_FS_MAKE_SYM    (UINT64_C(1) << 12)
#define LL_FS_REFER       (UINT64_C(1) << 13) /* ABI 2 */
#define LL_FS_TRUNCATE    (UINT64_C(1) << 14) /* ABI 3 */
#define LL_FS_IOCTL_DEV   (UINT64_C(1) << 15) /* ABI 5 */

#define LL_NET_BIND_TCP    (UINT64_C(1) << 0) /* ABI 4 */
#define LL_NET_CONNECT_TCP (UINT64_C(1) << 1) /* ABI 4 */

#define LL_SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0) /* ABI 6 */
#define LL_SCOPE_SIGNAL        (UINT64_C(1) << 1) /* ABI 6 */

/* What a rule for a file, not a folder, may carry. */
#define LL_FS_OF_FILES \
    (LL_FS_EXECUTE | LL_FS_WRITE_FILE | LL_FS_READ_FILE | LL_FS_TRUNCATE | LL_FS_IOCTL_DEV)

#endif
