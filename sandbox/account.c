#include "sandbox/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sandbox/capability.h"

enum { PASSWD_BYTES = 16 * 1024 }; /* one line of the account database */

static bool parse_id(const char *text, uid_t *out_id)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || text[digits] != '\0') {
        return false;
    }
    *out_id = (uid_t)strtoul(text, NULL, 10);
    return true;
}

ERRFN sandbox_account_find(const char *name_or_number, struct sandbox_account *out_account)
{
    char text[PASSWD_BYTES];
    struct passwd entry;
    struct passwd *found = NULL;
    uid_t uid = 0;
    bool is_number = parse_id(name_or_number, &uid);
    int result = is_number ? getpwuid_r(uid, &entry, text, sizeof(text), &found)
                           : getpwnam_r(name_or_number, &entry, text, sizeof(text), &found);
    struct sandbox_account account = {.change = true};
    if (result == 0 && found) {
        account.uid = found->pw_uid;
        account.gid = found->pw_gid;
    } else {
        ENSURE(is_number, SANDBOX_ACCOUNT);
        account.uid = uid;
        account.gid = (gid_t)uid;
    }
    ENSURE(account.uid != 0 && account.gid != 0, SANDBOX_ACCOUNT);
    *out_account = account;
    return OK;
}

static ERRFN change_ids(uid_t uid, gid_t gid)
{
    ENSURE(setresgid(gid, gid, gid) == 0, SANDBOX_PRIVILEGES);
    ENSURE(setresuid(uid, uid, uid) == 0, SANDBOX_PRIVILEGES);
    uid_t uids[3];
    gid_t gids[3];
    ENSURE(getresuid(&uids[0], &uids[1], &uids[2]) == 0, SANDBOX_PRIVILEGES);
    ENSURE(getresgid(&gids[0], &gids[1], &gids[2]) == 0, SANDBOX_PRIVILEGES);
    for (size_t i = 0; i < 3; i++) {
        ENSURE(uids[i] == uid && gids[i] == gid, SANDBOX_PRIVILEGES);
    }
    return OK;
}

/* Not what the manual says should happen, but what this kernel does when asked for root again. */
static ERRFN verify_no_way_back(void)
{
    ENSURE(setresuid((uid_t)-1, 0, (uid_t)-1) != 0, SANDBOX_PRIVILEGES);
    ENSURE(setresgid((gid_t)-1, 0, (gid_t)-1) != 0, SANDBOX_PRIVILEGES);
    ENSURE(getgroups(0, NULL) == 0, SANDBOX_PRIVILEGES);
    return OK;
}

static ERRFN drop_groups(uint64_t capabilities)
{
    if (capabilities & CAPABILITY_BIT(CAP_SETGID)) {
        ENSURE(setgroups(0, NULL) == 0, SANDBOX_PRIVILEGES);
    }
    return OK;
}

static ERRFN follow_parent(void)
{
    pid_t parent = getppid();
    ENSURE(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0, SANDBOX_PRIVILEGES);
    ENSURE(getppid() == parent, SANDBOX_PRIVILEGES); /* it ended before the request was in place */
    return OK;
}

ERRFN sandbox_drop(const struct sandbox_account *account)
{
    ENSURE(!account->change || (account->uid != 0 && account->gid != 0), SANDBOX_ACCOUNT);
    uint64_t capabilities = 0;
    TRY(capability_effective(&capabilities));
    if (capabilities & CAPABILITY_BIT(CAP_SETPCAP)) {
        TRY(capability_lock_root());
        TRY(capability_bound(0));
    }
    TRY(drop_groups(capabilities));
    if (account->change) {
        TRY(change_ids(account->uid, account->gid));
    }
    TRY(capability_keep(0));
    if (account->change) {
        TRY(verify_no_way_back());
    }
    ENSURE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, SANDBOX_PRIVILEGES);
    /* A change of ids resets both of these. */
    ENSURE(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, SANDBOX_PRIVILEGES);
    return account->die_with_parent ? follow_parent() : OK;
}

ERRFN sandbox_drop_supervisor(void)
{
    uint64_t capabilities = 0;
    TRY(capability_effective(&capabilities));
    if (capabilities & CAPABILITY_BIT(CAP_SETPCAP)) {
        TRY(capability_bound(CAPABILITIES_OF_SUPERVISOR));
    }
    TRY(drop_groups(capabilities));
    TRY(capability_keep(CAPABILITIES_OF_SUPERVISOR));
    ENSURE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, SANDBOX_PRIVILEGES);
    return OK;
}
