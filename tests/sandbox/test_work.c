/* Layer 4, as far as this folder goes: ordinary work survives the seal, a crash looks like a crash,
 * and threads and children are caught with their process. The processes' own work is in their
 * integration tests. */
#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"

static const struct sandbox_path SYSTEM[] = {
    {"/proc", false, false}, {"/usr", false, true}, {"/etc", false, false}};
enum { SYSTEM_COUNT = sizeof(SYSTEM) / sizeof(SYSTEM[0]) };

static struct ending run_variant(const struct variant *variant, act_fn *act, const void *argument)
{
    const struct sandbox_settings settings = {.profile = variant->profile,
                                              .softhsm = variant->softhsm,
                                              .paths = SYSTEM,
                                              .path_count = SYSTEM_COUNT};
    return run_sealed(&settings, act, argument);
}

static void everywhere(act_fn *act, int signal_number, int exit_code)
{
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        struct ending ending = run_variant(&VARIANTS[v], act, NULL);
        if (ending.signal != signal_number || ending.exit_code != exit_code) {
            fail_msg("%s: signal %d, exit code %d", VARIANTS[v].name, ending.signal,
                     ending.exit_code);
        }
    }
}

static int use_memory(const void *argument)
{
    (void)argument;
    char *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = malloc((size_t)1 << (i % 22));
        char *larger = blocks[i] ? realloc(blocks[i], (size_t)3 << (i % 22)) : NULL;
        if (!larger) {
            return 1;
        }
        memset(larger, 1, (size_t)3 << (i % 22));
        blocks[i] = larger;
    }
    for (size_t i = 0; i < 64; i++) {
        free(blocks[i]);
    }
    AUTO(secret) secret = NULL;
    return IS_OK(secret_random(32, &secret)) ? 0 : 1;
}

static int use_time_and_randomness(const void *argument)
{
    (void)argument;
    char text[CLOCK_TEXT_SIZE];
    clock_format(clock_utc_ms(), text);
    const struct timespec pause = {0, 1000};
    char uuid[UUID_TEXT_SIZE];
    random_uuid(uuid);
    return clock_monotonic_ms() > 0 && nanosleep(&pause, NULL) == 0 &&
                   strlen(uuid) == UUID_TEXT_SIZE - 1
               ? 0
               : 1;
}

static int use_channel(const void *argument)
{
    const int *pair = argument;
    struct pollfd wait = {.fd = pair[1], .events = POLLIN};
    char bytes[8];
    return send(pair[0], "hello", 5, MSG_NOSIGNAL) == 5 && poll(&wait, 1, 1000) == 1 &&
                   recv(pair[1], bytes, sizeof(bytes), 0) == 5 && write(pair[1], "x", 1) == 1 &&
                   read(pair[0], bytes, sizeof(bytes)) == 1 && close(pair[0]) == 0
               ? 0
               : 1;
}

static int use_log(const void *argument)
{
    const int *pipe_ends = argument;
    log_open(pipe_ends[1], "test", LOG_DEBUG);
    log_event(LOG_INFO, "sealed", LOG_TEXT("key", "value"), LOG_NUMBER("number", 1));
    char line[512];
    ssize_t length = read(pipe_ends[0], line, sizeof(line));
    return length > 0 && memmem(line, (size_t)length, "sealed", 6) ? 0 : 1;
}

static int abort_now(const void *argument)
{
    (void)argument;
    abort();
}

static int smash(const void *argument)
{
    (void)argument;
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *page = 1;
    return 0;
}

static int print_to_stderr(const void *argument)
{
    (void)argument;
    return fprintf(stderr, "%s", "") == 0 && fflush(stderr) == 0 ? 0 : 1;
}

static void memory_works_in_every_profile(void **state)
{
    (void)state;
    everywhere(use_memory, 0, 0);
}

static void time_and_randomness_work_in_every_profile(void **state)
{
    (void)state;
    everywhere(use_time_and_randomness, 0, 0);
}

static void channels_work_in_every_profile(void **state)
{
    (void)state;
    const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
    for (size_t v = 0; v < VARIANT_COUNT * 2; v++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, types[v % 2], 0, pair), 0);
        struct ending ending = run_variant(&VARIANTS[v / 2], use_channel, pair);
        assert_int_equal(ending.signal, 0);
        assert_int_equal(ending.exit_code, 0);
        close(pair[0]);
        close(pair[1]);
    }
}

static void logging_works_in_every_profile(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        struct ending ending = run_variant(&VARIANTS[v], use_log, ends);
        assert_int_equal(ending.signal, 0);
        assert_int_equal(ending.exit_code, 0);
        close(ends[0]);
        close(ends[1]);
    }
}

static void abort_is_seen_as_abort(void **state)
{
    (void)state;
    everywhere(abort_now, SIGABRT, -1);
}

static void a_bad_pointer_is_seen_as_one(void **state)
{
    (void)state;
    everywhere(smash, SIGSEGV, -1);
}

static void standard_error_may_be_anything(void **state)
{
    (void)state;
    const char *const targets[] = {"/dev/null", "/dev/full", "/tmp"};
    int saved = dup(STDERR_FILENO);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        int fd = open(targets[i], i == 2 ? O_TMPFILE | O_RDWR : O_WRONLY, 0600);
        assert_true(fd >= 0 || i == 2);
        if (fd >= 0) {
            dup2(fd, STDERR_FILENO);
            close(fd);
        }
        everywhere(print_to_stderr, 0, 0);
    }
    close(STDERR_FILENO);
    everywhere(use_memory, 0, 0);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

/* The signer's and keyholder's files: opened before, written and locked after. */
static int use_open_file(const void *argument)
{
    const int *fd = argument;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    struct stat status;
    char page[4096] = {1};
    return fcntl(*fd, F_SETLK, &lock) == 0 &&
                   pwrite(*fd, page, sizeof(page), 4096) == sizeof(page) && fdatasync(*fd) == 0 &&
                   fsync(*fd) == 0 && fstat(*fd, &status) == 0 && status.st_size == 8192 &&
                   ftruncate(*fd, 4096) == 0 && pread(*fd, page, sizeof(page), 0) == sizeof(page) &&
                   mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0) != MAP_FAILED
               ? 0
               : 1;
}

static int read_a_file(const void *argument)
{
    AUTO(buf) content = NULL;
    const char *path = argument;
    return IS_OK(fd_read_file(path, 1 << 16, &content)) && content->len > 0 ? 0 : 1;
}

static int read_outside(const void *argument)
{
    const char *path = argument;
    return open(path, O_RDONLY) < 0 && errno == EACCES ? 0 : 1;
}

static void signer_works_on_the_files_it_opened(void **state)
{
    (void)state;
    int fd = memfd_create("database", MFD_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        if (VARIANTS[v].profile == SANDBOX_SIGNER) {
            assert_int_equal(ftruncate(fd, 0), 0);
            assert_int_equal(run_variant(&VARIANTS[v], use_open_file, &fd).exit_code, 0);
        }
    }
    close(fd);
}

static void signer_reads_files_below_its_folders_only(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANT_COUNT; v++) {
        if (VARIANTS[v].profile == SANDBOX_SIGNER) {
            assert_int_equal(run_variant(&VARIANTS[v], read_a_file, "/etc/passwd").exit_code, 0);
            assert_int_equal(run_variant(&VARIANTS[v], read_outside, "/var").exit_code, 0);
        }
    }
}

/* The front: a worker made between confine and enter serves a connection, and is as sealed as the
 * rest. */
struct worker {
    int listener;
    int go[2];
    bool misbehaves;
    int result;
};

static void *serve(void *argument)
{
    struct worker *worker = argument;
    char byte;
    if (read(worker->go[0], &byte, 1) != 1) {
        return NULL;
    }
    if (worker->misbehaves) {
        worker->result = socket(AF_INET, SOCK_STREAM, 0);
        return NULL;
    }
    int fd = accept4(worker->listener, NULL, NULL, SOCK_CLOEXEC);
    const int on = 1;
    struct sockaddr_storage name;
    socklen_t size = sizeof(name);
    char bytes[16];
    bool served = fd >= 0 &&
                  setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on)) == 0 &&
                  getsockname(fd, (struct sockaddr *)&name, &size) == 0 &&
                  recv(fd, bytes, sizeof(bytes), 0) > 0 &&
                  send(fd, "served", 6, MSG_NOSIGNAL) == 6 && shutdown(fd, SHUT_WR) == 0;
    bool confined = open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES;
    worker->result = served && confined ? 0 : 1;
    return NULL;
}

static int run_worker(const void *argument)
{
    struct worker worker = *(const struct worker *)argument;
    pthread_t thread;
    const struct sandbox_settings settings = {.profile = SANDBOX_FRONT};
    if (!IS_OK(give_up(SANDBOX_FRONT)) || !IS_OK(sandbox_confine(&settings)) ||
        pipe(worker.go) != 0 || pthread_create(&thread, NULL, serve, &worker) != 0 ||
        !IS_OK(sandbox_enter(&settings))) {
        return NOT_SEALED;
    }
    if (write(worker.go[1], "x", 1) != 1 || pthread_join(thread, NULL) != 0) {
        return 2;
    }
    return worker.result;
}

static void threads_made_before_the_seal_serve_under_it(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    struct worker worker = {.listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(worker.listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(worker.listener, 4), 0);
    assert_int_equal(getsockname(worker.listener, (struct sockaddr *)&address, &size), 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
    assert_int_equal(send(client, "request", 7, 0), 7);
    struct ending ending = run_plain(run_worker, &worker);
    assert_int_equal(ending.signal, 0);
    assert_int_equal(ending.exit_code, 0);
    close(client);
    close(worker.listener);
}

static void threads_made_before_the_seal_die_with_the_process(void **state)
{
    (void)state;
    const struct worker worker = {.listener = FD_NONE, .misbehaves = true};
    assert_int_equal(run_plain(run_worker, &worker).signal, SIGSYS);
}

/* Steps left out. */
static int enter_with_a_late_thread(const void *argument)
{
    (void)argument;
    struct worker worker = {.listener = FD_NONE};
    pthread_t thread;
    const struct sandbox_settings settings = {.profile = SANDBOX_FRONT};
    if (!IS_OK(give_up(SANDBOX_FRONT)) || pipe(worker.go) != 0 ||
        pthread_create(&thread, NULL, serve, &worker) != 0) {
        return NOT_SEALED;
    }
    return IS_E(sandbox_enter(&settings), SANDBOX_CHECK) ? 0 : 1;
}

static int enter_without_limits(const void *argument)
{
    (void)argument;
    const struct sandbox_settings settings = {.profile = SANDBOX_COURIER};
    return IS_E(sandbox_enter(&settings), SANDBOX_CHECK) ? 0 : 1;
}

static int enter_without_drop(const void *argument)
{
    (void)argument;
    const struct sandbox_settings settings = {.profile = SANDBOX_COURIER};
    bool privileged = is_root();
    if (!IS_OK(sandbox_limits(SANDBOX_COURIER))) {
        return NOT_SEALED;
    }
    err_t result = sandbox_enter(&settings);
    return privileged ? !IS_E(result, SANDBOX_CHECK) : !IS_OK(result);
}

static int enter_no_profile(const void *argument)
{
    (void)argument;
    const struct sandbox_settings settings = {.profile = SANDBOX_NONE};
    return IS_OK(give_up(SANDBOX_COURIER)) && IS_E(sandbox_enter(&settings), SANDBOX) ? 0 : 1;
}

static void entering_with_an_unconfined_thread_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_plain(enter_with_a_late_thread, NULL).exit_code, 0);
}

static void entering_without_limits_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_plain(enter_without_limits, NULL).exit_code, 0);
}

static void entering_with_capabilities_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_plain(enter_without_drop, NULL).exit_code, 0);
}

static void entering_without_a_profile_is_refused(void **state)
{
    (void)state;
    assert_int_equal(run_plain(enter_no_profile, NULL).exit_code, 0);
}

/* The supervisor, and a child that it runs after its own seal: this program again, with the
 * profile's number as its argument. */
static int child_main(const char *number)
{
    enum sandbox_profile profile = (enum sandbox_profile)atoi(number);
    const struct sandbox_settings settings = {
        .profile = profile, .softhsm = true, .paths = SYSTEM, .path_count = 1};
    const struct sandbox_account account = {
        .change = is_root(), .uid = SEALED_UID, .gid = SEALED_UID};
    AUTO(secret) secret = NULL;
    if (report("limits", sandbox_limits(profile)) || report("secret_setup", secret_setup()) ||
        report("secret", secret_random(32, &secret)) || report("drop", sandbox_drop(&account)) ||
        report("enter", sandbox_enter(&settings))) {
        return NOT_SEALED;
    }
    return use_memory(NULL) || use_time_and_randomness(NULL) ? 1 : 42;
}

static int spawn_and_watch(const void *argument)
{
    const int *profile = argument;
    char number[8];
    snprintf(number, sizeof(number), "%d", *profile);
    char *const arguments[] = {(char *)"sealed-child", number, NULL};
    char *const environment[] = {NULL};
    pid_t pid = fork();
    if (pid == 0) {
        execve("/proc/self/exe", arguments, environment);
        _exit(3);
    }
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

static int kill_a_child(const void *argument)
{
    (void)argument;
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) {
        return 2;
    }
    pid_t pid = fork();
    if (pid == 0) {
        const struct sandbox_account account = {
            .change = is_root(), .uid = SEALED_UID, .gid = SEALED_UID};
        char answer = IS_OK(sandbox_drop(&account)) ? 'y' : 'n';
        _exit(write(ready[1], &answer, 1) == 1 && poll(NULL, 0, -1));
    }
    char answer = 0;
    int status = 0;
    return read(ready[0], &answer, 1) == 1 && answer == 'y' && kill(pid, SIGTERM) == 0 &&
                   waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
                   WTERMSIG(status) == SIGTERM
               ? 0
               : 1;
}

static struct ending run_supervisor(act_fn *act, const void *argument)
{
    const struct sandbox_path everything = {"/", true, true};
    const struct sandbox_settings settings = {
        .profile = SANDBOX_SUPERVISOR, .paths = &everything, .path_count = 1};
    return run_sealed(&settings, act, argument);
}

static void sealed_supervisor_starts_children_that_seal_themselves(void **state)
{
    (void)state;
    for (int profile = SANDBOX_FRONT; profile <= SANDBOX_COURIER; profile++) {
        struct ending ending = run_supervisor(spawn_and_watch, &profile);
        assert_int_equal(ending.signal, 0);
        assert_int_equal(ending.exit_code, 42);
    }
}

static void sealed_supervisor_stops_children_of_another_account(void **state)
{
    (void)state;
    struct ending ending = run_supervisor(kill_a_child, NULL);
    assert_int_equal(ending.signal, 0);
    assert_int_equal(ending.exit_code, 0);
}

static int set_up(void **state)
{
    return IS_OK(secret_setup()) ? require_kernel(state) : -1;
}

int main(int argument_count, char **arguments)
{
    if (argument_count == 2 && strcmp(arguments[0], "sealed-child") == 0) {
        return child_main(arguments[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_works_in_every_profile),
        cmocka_unit_test(time_and_randomness_work_in_every_profile),
        cmocka_unit_test(channels_work_in_every_profile),
        cmocka_unit_test(logging_works_in_every_profile),
        cmocka_unit_test(abort_is_seen_as_abort),
        cmocka_unit_test(a_bad_pointer_is_seen_as_one),
        cmocka_unit_test(standard_error_may_be_anything),
        cmocka_unit_test(signer_works_on_the_files_it_opened),
        cmocka_unit_test(signer_reads_files_below_its_folders_only),
        cmocka_unit_test(threads_made_before_the_seal_serve_under_it),
        cmocka_unit_test(threads_made_before_the_seal_die_with_the_process),
        cmocka_unit_test(entering_with_an_unconfined_thread_is_refused),
        cmocka_unit_test(entering_without_limits_is_refused),
        cmocka_unit_test(entering_with_capabilities_is_refused),
        cmocka_unit_test(entering_without_a_profile_is_refused),
        cmocka_unit_test(sealed_supervisor_starts_children_that_seal_themselves),
        cmocka_unit_test(sealed_supervisor_stops_children_of_another_account),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
