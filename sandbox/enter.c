#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "base/fd.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "sandbox/status.h"

/* This process's progress. The descriptor is of /proc/self/status, opened while that is still
 * possible and read when everything is in force. */
static struct {
    bool confined;
    int status_fd;
} process = {false, FD_NONE};

static ERRFN verify_limits(void)
{
    struct rlimit core;
    ENSURE(getrlimit(RLIMIT_CORE, &core) == 0, SANDBOX_CHECK);
    ENSURE(core.rlim_cur == 0 && core.rlim_max == 0, SANDBOX_CHECK);
    ENSURE(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, SANDBOX_CHECK);
    return OK;
}

static ERRFN verify_status(const struct status *status, enum sandbox_profile profile)
{
    ENSURE(status->no_new_privs == 1, SANDBOX_CHECK);
#ifndef ITL_SANITIZED
    ENSURE(status->seccomp == 2, SANDBOX_CHECK);
#endif
    if (profile == SANDBOX_SUPERVISOR) {
        return OK; /* it keeps some; sandbox_inspect knows which */
    }
    ENSURE(status->capabilities_effective == 0, SANDBOX_CHECK);
    ENSURE(status->capabilities_permitted == 0, SANDBOX_CHECK);
    ENSURE(status->capabilities_inheritable == 0, SANDBOX_CHECK);
    ENSURE(status->capabilities_ambient == 0, SANDBOX_CHECK);
    return OK;
}

ERRFN sandbox_confine(const struct sandbox_settings *settings)
{
    ENSURE(!process.confined, SANDBOX_CHECK);
    struct status status;
    TRY(status_read_file("/proc/self/status", &status));
    ENSURE(status.threads == 1, SANDBOX_CHECK);
    AUTO(fd) fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ENSURE(fd >= 0, SANDBOX_CHECK);
    tzset(); /* libc reads the time zone when it is first asked for a date, gmtime included */
    ENSURE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, SANDBOX);
    TRY(landlock_restrict(settings));
    process.status_fd = fd_steal(&fd);
    process.confined = true;
    return OK;
}

ERRFN sandbox_enter(const struct sandbox_settings *settings)
{
    TRY(verify_limits());
    if (!process.confined) {
        TRY(sandbox_confine(settings));
    }
    AUTO(fd) status_fd = fd_steal(&process.status_fd);
#ifndef ITL_SANITIZED
    TRY(filter_load(settings->profile, settings->softhsm));
#endif
    struct status status;
    TRY(status_read(status_fd, &status));
    return verify_status(&status, settings->profile);
}
