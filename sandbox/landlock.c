#include "sandbox/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/enforced.h"

struct ll_ruleset landlock_known(int abi)
{
    struct ll_ruleset known = {.fs = LL_FS_MAKE_SYM * 2 - 1};
    known.fs |= abi >= 2 ? LL_FS_REFER : 0;
    known.fs |= abi >= 3 ? LL_FS_TRUNCATE : 0;
    known.fs |= abi >= 5 ? LL_FS_IOCTL_DEV : 0;
    known.net = abi >= 4 ? LL_NET_BIND_TCP | LL_NET_CONNECT_TCP : 0;
    known.scoped = abi >= 6 ? LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL : 0;
    return known;
}

ERRFN landlock_abi(int *out_abi)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_RULESET_VERSION);
    ENSURE(abi >= SANDBOX_ABI_LEAST, SANDBOX_LANDLOCK);
    *out_abi = (int)abi;
    return OK;
}

static uint64_t rights_of(const struct sandbox_path *path, enum sandbox_profile profile)
{
    uint64_t rights = LL_FS_READ_FILE | LL_FS_READ_DIR;
    if (path->execute) {
        rights |= LL_FS_EXECUTE;
    }
    if (path->write) {
        rights |= LL_FS_WRITE_FILE | LL_FS_TRUNCATE | LL_FS_MAKE_REG | LL_FS_REMOVE_FILE;
    }
    if (path->write && profile == SANDBOX_SUPERVISOR) {
        rights |= LL_FS_MAKE_DIR | LL_FS_REMOVE_DIR | LL_FS_MAKE_SOCK;
    }
    return rights;
}

static ERRFN allow_path(int ruleset, const struct sandbox_path *path, uint64_t rights)
{
    AUTO(fd) fd = open(path->path, O_PATH | O_CLOEXEC);
    ENSURE(fd >= 0, SANDBOX_PATH);
    struct stat status;
    ENSURE(fstat(fd, &status) == 0, SANDBOX_PATH);
    if (!S_ISDIR(status.st_mode)) {
        rights &= LL_FS_OF_FILES; /* the kernel refuses a rule that says more */
    }
    struct ll_path_beneath rule = {.allowed = rights, .fd = fd};
    ENSURE(syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH_BENEATH, &rule, 0) == 0, SANDBOX);
    return OK;
}

static ERRFN allow_ports(int ruleset, uint64_t right, const uint16_t *ports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ll_net_port rule = {.allowed = right, .port = ports[i]};
        ENSURE(syscall(SYS_landlock_add_rule, ruleset, LL_RULE_NET_PORT, &rule, 0) == 0, SANDBOX);
    }
    return OK;
}

static ERRFN add_rules(int ruleset, const struct ll_ruleset *known,
                       const struct sandbox_settings *settings)
{
    for (size_t i = 0; i < settings->path_count; i++) {
        const struct sandbox_path *path = &settings->paths[i];
        TRY(allow_path(ruleset, path, rights_of(path, settings->profile) & known->fs));
    }
    if (known->net == 0) {
        return OK;
    }
    TRY(allow_ports(ruleset, LL_NET_CONNECT_TCP, settings->connect_ports,
                    settings->connect_port_count));
    return allow_ports(ruleset, LL_NET_BIND_TCP, settings->bind_ports, settings->bind_port_count);
}

ERRFN landlock_restrict(const struct sandbox_settings *settings)
{
    ENSURE(settings->path_count <= SANDBOX_PATHS_MAX, SANDBOX);
    ENSURE(settings->connect_port_count <= SANDBOX_PORTS_MAX, SANDBOX);
    ENSURE(settings->bind_port_count <= SANDBOX_PORTS_MAX, SANDBOX);
    int abi = 0;
    TRY(landlock_abi(&abi));
    if (!SANDBOX_ENFORCED) {
        return OK;
    }
    struct ll_ruleset known = landlock_known(abi);
    AUTO(fd) ruleset = (int)syscall(SYS_landlock_create_ruleset, &known, sizeof(known), 0);
    ENSURE(ruleset >= 0, SANDBOX_LANDLOCK);
    TRY(add_rules(ruleset, &known, settings));
    ENSURE(syscall(SYS_landlock_restrict_self, ruleset, 0) == 0, SANDBOX);
    return OK;
}
