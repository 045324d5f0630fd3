/* What a process is after limits and drop. As root it changes its account, as anybody else it keeps
 * it; the rest is the same. */
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/capability.h"
#include "sandbox/status.h"

#define CHECK(condition)                                                   \
    do {                                                                   \
        if (!(condition)) {                                                \
            dprintf(STDERR_FILENO, "line %d: %s\n", __LINE__, #condition); \
            return 1;                                                      \
        }                                                                  \
    } while (0)

static int child_has_nothing_left(const void *argument)
{
    (void)argument;
    bool root = is_root();
    CHECK(IS_OK(give_up(SANDBOX_SIGNER)));
    struct status s;
    CHECK(IS_OK(status_read_file("/proc/self/status", &s)));
    CHECK(s.capabilities_effective == 0 && s.capabilities_permitted == 0);
    CHECK(s.capabilities_inheritable == 0 && s.capabilities_ambient == 0);
    CHECK(s.no_new_privs == 1);
    CHECK(!root || s.capabilities_bounding == 0);
    CHECK(!root || s.groups_empty);
    for (size_t i = 0; i < ID_COUNT; i++) {
        CHECK(!root || s.uids[i] == SEALED_UID);
        CHECK(!root || s.gids[i] == SEALED_UID);
    }
    return 0;
}

static int child_cannot_come_back(const void *argument)
{
    (void)argument;
    CHECK(IS_OK(give_up(SANDBOX_SIGNER)));
    CHECK(setuid(0) != 0 && seteuid(0) != 0 && setresuid(0, 0, 0) != 0);
    CHECK(setgid(0) != 0 && setegid(0) != 0 && setresgid(0, 0, 0) != 0);
    CHECK(setgroups(1, &(gid_t){0}) != 0);
    CHECK(geteuid() != 0 && getegid() != 0);
    CHECK(open("/etc/shadow", O_RDONLY) < 0);
    CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || !is_root());
    return 0;
}

static int child_is_limited(const void *argument)
{
    (void)argument;
    CHECK(IS_OK(give_up(SANDBOX_SIGNER)));
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0);
    CHECK(getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= 256);
    CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    CHECK(umask(0) == 077);
    int parent_signal = 0;
    CHECK(prctl(PR_GET_PDEATHSIG, &parent_signal, 0, 0, 0) == 0 && parent_signal == 9);
    errno = 0;
    CHECK(fork() < 0 && errno == EAGAIN);
    return 0;
}

static int drop_to_root(const void *argument)
{
    (void)argument;
    const struct sandbox_account root_user = {.change = true, .uid = 0, .gid = 12345};
    const struct sandbox_account root_group = {.change = true, .uid = 12345, .gid = 0};
    CHECK(IS_E(sandbox_drop(&root_user), SANDBOX_ACCOUNT));
    CHECK(IS_E(sandbox_drop(&root_group), SANDBOX_ACCOUNT));
    return 0;
}

/* Gives root up first, when there is any, and asks for another account then. */
static int drop_without_the_right(const void *argument)
{
    (void)argument;
    CHECK(IS_OK(give_up(SANDBOX_SIGNER)));
    const struct sandbox_account other = {.change = true, .uid = 23456, .gid = 23456};
    CHECK(IS_E(sandbox_drop(&other), SANDBOX_PRIVILEGES));
    return 0;
}

static int supervisor_keeps_four(const void *argument)
{
    (void)argument;
    bool root = is_root();
    uint64_t before = 0;
    CHECK(IS_OK(capability_effective(&before)));
    CHECK(IS_OK(give_up(SANDBOX_SUPERVISOR)));
    struct status s;
    CHECK(IS_OK(status_read_file("/proc/self/status", &s)));
    const uint64_t four = UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID |
                          UINT64_C(1) << CAP_SETPCAP | UINT64_C(1) << CAP_KILL;
    CHECK(s.capabilities_effective == (root ? four : 0));
    CHECK(s.capabilities_permitted == (root ? four : 0));
    CHECK(s.capabilities_inheritable == 0 && s.capabilities_ambient == 0);
    CHECK(!root || s.capabilities_bounding == four);
    CHECK(!root || s.groups_empty);
    CHECK(s.no_new_privs == 1);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    CHECK(limit.rlim_cur == limit.rlim_max || limit.rlim_cur >= 64U << 20);
    bool may_raise = (before & CAPABILITY_BIT(CAP_SYS_RESOURCE)) != 0;
    CHECK(!may_raise || limit.rlim_cur >= 64U << 20);
    return 0;
}

static int supervisors_child_drops_the_rest(const void *argument)
{
    CHECK(supervisor_keeps_four(argument) == 0);
    return child_has_nothing_left(argument);
}

static int child_ends_with_its_parent(const void *argument)
{
    const int *ready = argument;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(IS_OK(give_up(SANDBOX_COURIER)));
        CHECK(write(ready[1], "x", 1) == 1);
        pause();
        _exit(1);
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1);
    return 0; /* and the parent ends, the child with it */
}

static void succeeds(act_fn *act)
{
    struct ending ending = run_plain(act, NULL);
    assert_int_equal(ending.signal, 0);
    assert_int_equal(ending.exit_code, 0);
}

static void dropped_process_has_no_privilege_left(void **state)
{
    (void)state;
    succeeds(child_has_nothing_left);
}

static void dropped_process_cannot_come_back(void **state)
{
    (void)state;
    succeeds(child_cannot_come_back);
}

static void process_is_limited_and_makes_no_core(void **state)
{
    (void)state;
    succeeds(child_is_limited);
}

static void dropping_to_root_is_refused(void **state)
{
    (void)state;
    succeeds(drop_to_root);
}

static void changing_account_without_the_right_is_an_error(void **state)
{
    (void)state;
    succeeds(drop_without_the_right);
}

static void supervisor_keeps_what_restarting_needs(void **state)
{
    (void)state;
    succeeds(supervisor_keeps_four);
}

static void child_of_a_dropped_supervisor_drops_the_rest(void **state)
{
    (void)state;
    succeeds(supervisors_child_drops_the_rest);
}

static void child_dies_with_its_parent(void **state)
{
    (void)state;
    int ready[2];
    int alive[2]; /* open in the grandchild only, in the end */
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(alive), 0);
    struct ending ending = run_plain(child_ends_with_its_parent, ready);
    assert_int_equal(ending.exit_code, 0);
    close(alive[1]);
    char byte;
    assert_int_equal(read(alive[0], &byte, 1), 0); /* end of file: everybody who held it is gone */
    close(alive[0]);
    close(ready[0]);
    close(ready[1]);
}

static void accounts_are_found_by_name_and_number(void **state)
{
    (void)state;
    struct passwd *nobody = getpwnam("nobody");
    assert_non_null(nobody);
    char number[16];
    snprintf(number, sizeof(number), "%u", (unsigned)nobody->pw_uid);
    const char *const spellings[] = {"nobody", number};
    for (size_t i = 0; i < 2; i++) {
        struct sandbox_account account = {0};
        assert_true(IS_OK(sandbox_account_find(spellings[i], &account)));
        assert_true(account.change);
        assert_int_equal(account.uid, nobody->pw_uid);
        assert_int_equal(account.gid, nobody->pw_gid);
    }
}

static void a_number_without_an_account_is_its_own_group(void **state)
{
    (void)state;
    struct sandbox_account account = {0};
    assert_true(IS_OK(sandbox_account_find("61234", &account)));
    assert_int_equal(account.uid, 61234);
    assert_int_equal(account.gid, 61234);
}

static void root_and_unknown_accounts_are_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {"root", "0",   "00",  "",           "no-such-account",
                                 "-1",   "12x", " 12", "4294967296", "4294967295"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sandbox_account account = {.uid = 77};
        assert_true(IS_E(sandbox_account_find(wrong[i], &account), SANDBOX_ACCOUNT));
        assert_int_equal(account.uid, 77);
    }
}

static void limits_of_no_profile_are_refused(void **state)
{
    (void)state;
    assert_true(IS_E(sandbox_limits(SANDBOX_NONE), SANDBOX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropped_process_has_no_privilege_left),
        cmocka_unit_test(dropped_process_cannot_come_back),
        cmocka_unit_test(process_is_limited_and_makes_no_core),
        cmocka_unit_test(dropping_to_root_is_refused),
        cmocka_unit_test(changing_account_without_the_right_is_an_error),
        cmocka_unit_test(supervisor_keeps_what_restarting_needs),
        cmocka_unit_test(child_of_a_dropped_supervisor_drops_the_rest),
        cmocka_unit_test(child_dies_with_its_parent),
        cmocka_unit_test(accounts_are_found_by_name_and_number),
        cmocka_unit_test(a_number_without_an_account_is_its_own_group),
        cmocka_unit_test(root_and_unknown_accounts_are_refused),
        cmocka_unit_test(limits_of_no_profile_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
