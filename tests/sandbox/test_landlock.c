/* Landlock alone (sandbox_confine), each right as a pair: the same act works where it is granted
 * and fails where it is not. Also as root, whom file modes do not stop. */
#include "sealed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/landlock.h"

/* One folder, its content made anew for each act. */
static char folder[64];

static void put(const char *name, const char *content, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf -- %s", folder);
    assert_int_equal(system(command), 0);
}

static void make_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/landlock-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0777), 0);
    put("file", "content", 0666);
    put("program", "#!/bin/sh\nexit 0\n", 0777);
    char path[128];
    snprintf(path, sizeof(path), "%s/empty", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof(path), "%s/other", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(chmod(path, 0777), 0);
}

/* What acts report: 0 when it worked, REFUSED_BY_ERRNO for the error that Landlock gives, 2 for
 * another one. */
static int outcome(bool worked)
{
    if (worked) {
        return ALLOWED;
    }
    return errno == EACCES || errno == EPERM || errno == EXDEV ? REFUSED_BY_ERRNO : 2;
}

static const char *inside(const char *name, char path[static 128])
{
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

#define FILE_ACT(name, expression)        \
    static int name(const void *argument) \
    {                                     \
        (void)argument;                   \
        char a[128] = "";                 \
        char b[128] = "";                 \
        (void)a;                          \
        (void)b;                          \
        return outcome(expression);       \
    }

FILE_ACT(read_file, open(inside("file", a), O_RDONLY) >= 0)
FILE_ACT(read_folder, open(folder, O_RDONLY | O_DIRECTORY) >= 0)
FILE_ACT(write_file, open(inside("file", a), O_WRONLY) >= 0)
FILE_ACT(truncate_file, truncate(inside("file", a), 1) == 0)
FILE_ACT(make_file, open(inside("new", a), O_WRONLY | O_CREAT, 0600) >= 0)
FILE_ACT(remove_file, unlink(inside("file", a)) == 0)
FILE_ACT(rename_file, rename(inside("file", a), inside("renamed", b)) == 0)
FILE_ACT(move_file, rename(inside("file", a), inside("other/file", b)) == 0)
FILE_ACT(make_subfolder, mkdir(inside("new", a), 0700) == 0)
FILE_ACT(remove_subfolder, rmdir(inside("empty", a)) == 0)
FILE_ACT(make_fifo, mkfifo(inside("new", a), 0600) == 0)
FILE_ACT(make_link, symlink("file", inside("new", a)) == 0)
FILE_ACT(read_elsewhere, open("/etc/passwd", O_RDONLY) >= 0)

static int make_socket(const void *argument)
{
    (void)argument;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/new", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd < 0 ? 2 : outcome(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
}

static int execute_file(const void *argument)
{
    (void)argument;
    char path[128];
    execl(inside("program", path), "program", (char *)NULL);
    return outcome(false);
}

enum grant { GRANT_NONE, GRANT_READ, GRANT_WRITE, GRANT_EXECUTE };

static struct ending confine(enum sandbox_profile profile, enum grant grant, act_fn *act)
{
    make_folder();
    const struct sandbox_path paths[] = {
        {"/usr", false, true}, /* the shell that runs the program */
        {folder, grant == GRANT_WRITE, grant == GRANT_EXECUTE},
    };
    const struct sandbox_settings settings = {
        .profile = profile, .paths = paths, .path_count = grant == GRANT_NONE ? 1 : 2};
    fflush(NULL);
    /* Without sandbox_drop: what is refused is refused by Landlock, also to root. */
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(SEALED_SECONDS);
        int failed = report("confine", sandbox_confine(&settings));
        _exit(failed ? failed : act(NULL));
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    remove_folder();
    return WIFSIGNALED(status) ? (struct ending){-1, WTERMSIG(status)}
                               : (struct ending){WEXITSTATUS(status), 0};
}

static void expect(enum sandbox_profile profile, enum grant grant, act_fn *act, const char *name,
                   int wanted)
{
    struct ending ending = confine(profile, grant, act);
    if (ending.signal != 0 || ending.exit_code != wanted) {
        fail_msg("%s with grant %d: exit code %d, signal %d, wanted %d", name, (int)grant,
                 ending.exit_code, ending.signal, wanted);
    }
}

#define WORKS(profile, grant, act) expect(profile, grant, act, #act, ALLOWED)
#define FAILS(profile, grant, act) expect(profile, grant, act, #act, REFUSED_BY_ERRNO)

static void reading_needs_a_path(void **state)
{
    (void)state;
    WORKS(SANDBOX_SIGNER, GRANT_READ, read_file);
    FAILS(SANDBOX_SIGNER, GRANT_NONE, read_file);
    WORKS(SANDBOX_SIGNER, GRANT_READ, read_folder);
    FAILS(SANDBOX_SIGNER, GRANT_NONE, read_folder);
    FAILS(SANDBOX_SIGNER, GRANT_WRITE, read_elsewhere);
}

static void writing_needs_the_write_flag(void **state)
{
    (void)state;
    act_fn *const acts[] = {write_file, truncate_file, make_file, remove_file, rename_file};
    const char *const names[] = {"write_file", "truncate_file", "make_file", "remove_file",
                                 "rename_file"};
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        expect(SANDBOX_SIGNER, GRANT_WRITE, acts[i], names[i], ALLOWED);
        expect(SANDBOX_SIGNER, GRANT_READ, acts[i], names[i], REFUSED_BY_ERRNO);
        expect(SANDBOX_SIGNER, GRANT_EXECUTE, acts[i], names[i], REFUSED_BY_ERRNO);
    }
}

static void executing_needs_the_execute_flag(void **state)
{
    (void)state;
    WORKS(SANDBOX_SUPERVISOR, GRANT_EXECUTE, execute_file);
    FAILS(SANDBOX_SUPERVISOR, GRANT_READ, execute_file);
    FAILS(SANDBOX_SUPERVISOR, GRANT_WRITE, execute_file);
}

static void folders_and_sockets_are_the_supervisors_to_make(void **state)
{
    (void)state;
    WORKS(SANDBOX_SUPERVISOR, GRANT_WRITE, make_subfolder);
    WORKS(SANDBOX_SUPERVISOR, GRANT_WRITE, remove_subfolder);
    WORKS(SANDBOX_SUPERVISOR, GRANT_WRITE, make_socket);
    FAILS(SANDBOX_SUPERVISOR, GRANT_READ, make_subfolder);
    FAILS(SANDBOX_SUPERVISOR, GRANT_READ, make_socket);
    FAILS(SANDBOX_SIGNER, GRANT_WRITE, make_subfolder);
    FAILS(SANDBOX_SIGNER, GRANT_WRITE, remove_subfolder);
    FAILS(SANDBOX_SIGNER, GRANT_WRITE, make_socket);
}

static void nobody_makes_links_or_pipes_or_moves_between_folders(void **state)
{
    (void)state;
    FAILS(SANDBOX_SUPERVISOR, GRANT_WRITE, make_fifo);
    FAILS(SANDBOX_SUPERVISOR, GRANT_WRITE, make_link);
    FAILS(SANDBOX_SUPERVISOR, GRANT_WRITE, move_file);
    FAILS(SANDBOX_SIGNER, GRANT_WRITE, move_file);
}

static int device_ioctl(const void *argument)
{
    const char *path = argument;
    int fd = open(path, O_RDONLY);
    int waiting = 0;
    errno = 0;
    bool reached =
        fd >= 0 && (ioctl(fd, TIOCGPGRP, &waiting) == 0 || errno == ENOTTY || errno == EINVAL);
    return outcome(reached);
}

static void devices_can_be_read_but_not_controlled(void **state)
{
    (void)state;
    const struct sandbox_path device = {"/dev/null", true, false};
    const struct sandbox_settings settings = {
        .profile = SANDBOX_SIGNER, .paths = &device, .path_count = 1};
    int abi = 0;
    assert_true(IS_OK(landlock_abi(&abi)));
    assert_int_equal(run_plain(device_ioctl, "/dev/null").exit_code, ALLOWED);
    assert_int_equal(run_confined(&settings, device_ioctl, "/dev/null").exit_code,
                     abi >= 5 ? REFUSED_BY_ERRNO : ALLOWED);
}

/* TCP on the loopback. */
static uint16_t listen_somewhere(int *out_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *out_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*out_fd >= 0);
    assert_int_equal(bind(*out_fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(*out_fd, 4), 0);
    assert_int_equal(getsockname(*out_fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static int connect_to(const void *argument)
{
    const uint16_t *port = argument;
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return outcome(connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
}

static int bind_to(const void *argument)
{
    const uint16_t *port = argument;
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return outcome(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
}

static void require_abi(int least, const char *what)
{
    int abi = 0;
    assert_true(IS_OK(landlock_abi(&abi)));
    if (abi < least) {
        fail_msg("This kernel's Landlock is ABI %d; %s needs %d to be tested.", abi, what, least);
    }
}

static void connecting_needs_the_port(void **state)
{
    (void)state;
    require_abi(4, "TCP");
    int one = FD_NONE;
    int two = FD_NONE;
    const uint16_t ports[] = {listen_somewhere(&one), listen_somewhere(&two)};
    const struct sandbox_settings none = {.profile = SANDBOX_COURIER};
    const struct sandbox_settings first = {
        .profile = SANDBOX_COURIER, .connect_ports = ports, .connect_port_count = 1};
    assert_int_equal(run_plain(connect_to, &ports[0]).exit_code, ALLOWED);
    assert_int_equal(run_confined(&none, connect_to, &ports[0]).exit_code, REFUSED_BY_ERRNO);
    assert_int_equal(run_confined(&first, connect_to, &ports[0]).exit_code, ALLOWED);
    assert_int_equal(run_confined(&first, connect_to, &ports[1]).exit_code, REFUSED_BY_ERRNO);
    close(one);
    close(two);
}

static void binding_needs_the_port(void **state)
{
    (void)state;
    require_abi(4, "TCP");
    int one = FD_NONE;
    const uint16_t port = listen_somewhere(&one);
    close(one); /* free again, and not a port below 1024 */
    const struct sandbox_settings none = {
        .profile = SANDBOX_FRONT, .connect_ports = &port, .connect_port_count = 1};
    const struct sandbox_settings allowed = {
        .profile = SANDBOX_FRONT, .bind_ports = &port, .bind_port_count = 1};
    assert_int_equal(run_confined(&none, bind_to, &port).exit_code, REFUSED_BY_ERRNO);
    assert_int_equal(run_confined(&allowed, bind_to, &port).exit_code, ALLOWED);
}

/* Processes outside. */
static int signal_parent(const void *argument)
{
    (void)argument;
    return outcome(kill(getppid(), 0) == 0);
}

static int signal_own_child(const void *argument)
{
    (void)argument;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    bool sent = pid > 0 && kill(pid, SIGKILL) == 0;
    return outcome(sent && waitpid(pid, NULL, 0) == pid);
}

static void signals_stay_below_the_one_who_confined_itself(void **state)
{
    (void)state;
    require_abi(6, "the signal scope");
    const struct sandbox_settings settings = {.profile = SANDBOX_SUPERVISOR};
    make_folder();
    remove_folder();
    WORKS(SANDBOX_SUPERVISOR, GRANT_NONE, signal_own_child);
    FAILS(SANDBOX_SUPERVISOR, GRANT_NONE, signal_parent);
    assert_int_equal(run_confined(&settings, signal_own_child, NULL).exit_code, ALLOWED);
}

static int connect_to_abstract(const void *argument)
{
    const struct sockaddr_un *address = argument;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return outcome(connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0);
}

static void abstract_sockets_outside_are_out_of_reach(void **state)
{
    (void)state;
    require_abi(6, "the scope of abstract sockets");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "landlock-test-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    const struct sandbox_settings settings = {.profile = SANDBOX_SIGNER};
    assert_int_equal(run_plain(connect_to_abstract, &address).exit_code, ALLOWED);
    assert_int_equal(run_confined(&settings, connect_to_abstract, &address).exit_code,
                     REFUSED_BY_ERRNO);
    close(fd);
}

/* Failing closed. */
static int confine_to_nowhere(const void *argument)
{
    (void)argument;
    const struct sandbox_path path = {"/nonexistent", false, false};
    const struct sandbox_settings settings = {
        .profile = SANDBOX_SIGNER, .paths = &path, .path_count = 1};
    return IS_E(sandbox_confine(&settings), SANDBOX_PATH) ? 0 : 1;
}

static int confine_twice(const void *argument)
{
    (void)argument;
    const struct sandbox_settings settings = {.profile = SANDBOX_SIGNER};
    return IS_OK(sandbox_confine(&settings)) && IS_E(sandbox_confine(&settings), SANDBOX_CHECK) ? 0
                                                                                                : 1;
}

static int confine_too_much(const void *argument)
{
    (void)argument;
    const struct sandbox_path paths[SANDBOX_PATHS_MAX + 1] = {{"/", false, false}};
    const uint16_t ports[SANDBOX_PORTS_MAX + 1] = {443};
    const struct sandbox_settings many_paths = {
        .profile = SANDBOX_SIGNER, .paths = paths, .path_count = SANDBOX_PATHS_MAX + 1};
    const struct sandbox_settings many_ports = {.profile = SANDBOX_COURIER,
                                                .connect_ports = ports,
                                                .connect_port_count = SANDBOX_PORTS_MAX + 1};
    const struct sandbox_settings many_listeners = {
        .profile = SANDBOX_FRONT, .bind_ports = ports, .bind_port_count = SANDBOX_PORTS_MAX + 1};
    return IS_E(sandbox_confine(&many_paths), SANDBOX) &&
                   IS_E(sandbox_confine(&many_ports), SANDBOX) &&
                   IS_E(sandbox_confine(&many_listeners), SANDBOX)
               ? 0
               : 1;
}

static void *wait_for_ever(void *argument)
{
    (void)argument;
    pause();
    return NULL;
}

static int confine_with_a_thread(const void *argument)
{
    (void)argument;
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0) {
        return 2;
    }
    const struct sandbox_settings settings = {.profile = SANDBOX_FRONT};
    return IS_E(sandbox_confine(&settings), SANDBOX_CHECK) ? 0 : 1;
}

static void a_path_that_does_not_exist_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(run_plain(confine_to_nowhere, NULL).exit_code, 0);
}

static void confining_twice_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(run_plain(confine_twice, NULL).exit_code, 0);
}

static void too_many_paths_or_ports_are_an_error(void **state)
{
    (void)state;
    assert_int_equal(run_plain(confine_too_much, NULL).exit_code, 0);
}

/* Landlock would bind only the caller, not the thread. */
static void confining_beside_another_thread_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(run_plain(confine_with_a_thread, NULL).exit_code, 0);
}

static void every_right_that_an_abi_knows_is_handled(void **state)
{
    (void)state;
    const struct ll_ruleset known[] = {{0x1fff, 0, 0}, {0x3fff, 0, 0}, {0x7fff, 0, 0},
                                       {0x7fff, 3, 0}, {0xffff, 3, 0}, {0xffff, 3, 3},
                                       {0xffff, 3, 3}};
    for (int abi = 1; abi <= 7; abi++) {
        struct ll_ruleset found = landlock_known(abi);
        assert_memory_equal(&found, &known[abi - 1], sizeof(found));
    }
    struct ll_ruleset future = landlock_known(99);
    assert_memory_equal(&future, &known[6], sizeof(future));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_needs_a_path),
        cmocka_unit_test(writing_needs_the_write_flag),
        cmocka_unit_test(executing_needs_the_execute_flag),
        cmocka_unit_test(folders_and_sockets_are_the_supervisors_to_make),
        cmocka_unit_test(nobody_makes_links_or_pipes_or_moves_between_folders),
        cmocka_unit_test(devices_can_be_read_but_not_controlled),
        cmocka_unit_test(connecting_needs_the_port),
        cmocka_unit_test(binding_needs_the_port),
        cmocka_unit_test(signals_stay_below_the_one_who_confined_itself),
        cmocka_unit_test(abstract_sockets_outside_are_out_of_reach),
        cmocka_unit_test(a_path_that_does_not_exist_is_an_error),
        cmocka_unit_test(confining_twice_is_an_error),
        cmocka_unit_test(too_many_paths_or_ports_are_an_error),
        cmocka_unit_test(confining_beside_another_thread_is_an_error),
        cmocka_unit_test(every_right_that_an_abi_knows_is_handled),
    };
    return cmocka_run_group_tests(tests, require_kernel, NULL);
}
