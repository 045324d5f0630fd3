#include "supervisor/spawn.h"

#include "base/clock.h"
#include "base/log.h"
#include "process/process.h"
#include "supervisor/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SOCKET_BUFFER_BYTES = 1024 * 1024, FD_BASE = 64 /* above every number that a child uses */ };

#define P11_KIT "/usr/bin/p11-kit"

/* What a child will have: its descriptors by number, its program, arguments and environment. */
struct plan {
    int fds[CHILD_FDS_MAX]; /* index is the number in the child; FD_NONE for closed */
    char program[PATH_MAX];
    const char *arguments[10];
    size_t argument_count;
    char environment[CHILD_ENVIRONMENT_MAX][CONFIG_NAME_SIZE + PATH_MAX];
    char *environment_list[CHILD_ENVIRONMENT_MAX + 1];
    size_t environment_count;
};

static ERRFN make_pair(int out_ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out_ends) != 0) {
        return err_from_errno(errno);
    }
    int size = SOCKET_BUFFER_BYTES;
    for (int i = 0; i < 2; i++) {
        setsockopt(out_ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    return OK;
}

ERRFN spawn_links(struct supervisor *s)
{
    static const struct link links[LINK_COUNT] = {
        {IPC_CHANNEL_TLS, CHILD_FRONT, CHILD_KEYHOLDER, PROCESS_FD_TLS_FRONT, PROCESS_FD_TLS_KEYHOLDER, {-1, -1}, false, 0, 0},
        {IPC_CHANNEL_API, CHILD_FRONT, CHILD_SIGNER, PROCESS_FD_API_FRONT, PROCESS_FD_API_SIGNER, {-1, -1}, false, 0, 0},
        {IPC_CHANNEL_JOBS, CHILD_SIGNER, CHILD_COURIER, PROCESS_FD_JOBS_SIGNER, PROCESS_FD_JOBS_COURIER, {-1, -1}, false, 0, 0},
    };
    memcpy(s->links, links, sizeof links);
    for (size_t i = 0; i < LINK_COUNT; i++) {
        TRY(make_pair(s->links[i].ends));
    }
    return OK;
}

void spawn_discard(struct supervisor *s, const struct child *child)
{
    char chunk[4096];
    for (size_t i = 0; i < LINK_COUNT; i++) {
        const struct link *link = &s->links[i];
        if (link->client != child->kind && link->server != child->kind) {
            continue;
        }
        int end = link->ends[link->client == child->kind ? 0 : 1];
        while (recv(end, chunk, sizeof chunk, MSG_DONTWAIT) > 0) {
        }
    }
}

void spawn_module_socket(const struct supervisor *s, enum child_kind kind, char out_path[static PATH_MAX])
{
    const char *name = kind == CHILD_MODULE_CA ? "ca" : "tls";
    snprintf(out_path, PATH_MAX, "%s/module-%s/pkcs11", s->config->runtime_directory, name);
}

static ERRFN add_variable(struct plan *plan, const char *name, const char *value)
{
    ENSURE(plan->environment_count < CHILD_ENVIRONMENT_MAX, TOO_LONG);
    char *at = plan->environment[plan->environment_count];
    int len = snprintf(at, sizeof plan->environment[0], "%s=%s", name, value);
    ENSURE(len > 0 && (size_t)len < sizeof plan->environment[0], TOO_LONG);
    plan->environment_list[plan->environment_count++] = at;
    return OK;
}

static ERRFN add_token_environment(const struct supervisor *s, enum child_kind kind, struct plan *plan)
{
    bool ca = kind == CHILD_SIGNER || kind == CHILD_MODULE_CA;
    const struct config_token *token = ca ? &s->config->hsm.ca : &s->config->hsm.tls;
    bool runs_module = kind == CHILD_MODULE_CA || kind == CHILD_MODULE_TLS;
    if (s->config->hsm.isolation == CONFIG_ISOLATION_PROCESS && !runs_module) {
        char path[PATH_MAX];
        char address[PATH_MAX + 16];
        spawn_module_socket(s, ca ? CHILD_MODULE_CA : CHILD_MODULE_TLS, path);
        snprintf(address, sizeof address, "unix:path=%s", path);
        return add_variable(plan, "P11_KIT_SERVER_ADDRESS", address);
    }
    for (size_t i = 0; i < token->environment_count; i++) {
        TRY(add_variable(plan, token->environment[i].name, token->environment[i].value));
    }
    return OK;
}

static ERRFN plan_environment(const struct supervisor *s, const struct child *child, struct plan *plan)
{
    TRY(add_variable(plan, "TZ", "UTC0"));
    TRY(add_variable(plan, "PATH", "/usr/bin:/bin"));
    TRY(add_variable(plan, "HOME", "/nonexistent"));
    switch (child->kind) {
    case CHILD_SIGNER:
    case CHILD_KEYHOLDER:
    case CHILD_MODULE_CA:
    case CHILD_MODULE_TLS:
        return add_token_environment(s, child->kind, plan);
    case CHILD_FRONT:
    case CHILD_COURIER:
    case CHILD_COUNT:
        return OK;
    }
    return OK;
}

static ERRFN plan_program(const struct supervisor *s, const struct child *child, struct plan *plan)
{
    int len = snprintf(plan->program, sizeof plan->program, "%s/itl-%s", s->binaries, child->name);
    ENSURE(len > 0 && (size_t)len < sizeof plan->program, TOO_LONG);
    plan->arguments[plan->argument_count++] = plan->program;
    return OK;
}

/* p11-kit server in the foreground, for one token, on a socket of its own. */
static ERRFN plan_module(const struct supervisor *s, const struct child *child, struct plan *plan)
{
    static char sockets[2][PATH_MAX];
    static char tokens[2][128];
    bool ca = child->kind == CHILD_MODULE_CA;
    const struct config_token *token = ca ? &s->config->hsm.ca : &s->config->hsm.tls;
    spawn_module_socket(s, child->kind, sockets[ca]);
    unlink(sockets[ca]);
    snprintf(tokens[ca], sizeof tokens[ca], "pkcs11:token=%s", token->token_label);
    memcpy(plan->program, P11_KIT, sizeof P11_KIT);
    const char *const arguments[] = {"p11-kit", "server", "-f", "--provider", token->module, "-n", sockets[ca], tokens[ca]};
    memcpy(plan->arguments, arguments, sizeof arguments);
    plan->argument_count = sizeof arguments / sizeof arguments[0];
    return OK;
}

static void plan_descriptors(const struct supervisor *s, const struct child *child, int control_end, int null_fd,
                             struct plan *plan)
{
    for (size_t i = 0; i < CHILD_FDS_MAX; i++) {
        plan->fds[i] = FD_NONE;
    }
    plan->fds[STDIN_FILENO] = null_fd;
    plan->fds[STDOUT_FILENO] = STDERR_FILENO;
    plan->fds[STDERR_FILENO] = STDERR_FILENO;
    if (!child->control) {
        return;
    }
    plan->fds[PROCESS_FD_CONTROL] = control_end;
    for (size_t i = 0; i < LINK_COUNT; i++) {
        const struct link *link = &s->links[i];
        if (link->client == child->kind) {
            plan->fds[link->client_fd] = link->ends[0];
        } else if (link->server == child->kind) {
            plan->fds[link->server_fd] = link->ends[1];
        }
    }
    if (child->kind == CHILD_FRONT) {
        plan->fds[PROCESS_FD_LISTEN] = s->listen_fd;
    }
}

/* In the child, between fork and exec: only calls that are safe there. First all copies go up out of the way, then down to their
 * numbers, which takes close-on-exec off them; everything else is closed. */
static void place_descriptors(const struct plan *plan)
{
    int copies[CHILD_FDS_MAX];
    for (int i = 0; i < CHILD_FDS_MAX; i++) {
        copies[i] = plan->fds[i] == FD_NONE ? FD_NONE : fcntl(plan->fds[i], F_DUPFD_CLOEXEC, FD_BASE);
    }
    for (int i = 0; i < CHILD_FDS_MAX; i++) {
        if (copies[i] == FD_NONE) {
            close(i);
        } else if (dup2(copies[i], i) < 0) {
            _exit(127);
        }
    }
    close_range(CHILD_FDS_MAX, ~0U, 0);
}

/* A module server does not drop its privileges by itself as our own programs do. */
static void become(struct sandbox_account account)
{
    account.die_with_parent = true;
    if (!IS_OK(sandbox_drop(&account))) {
        _exit(127);
    }
}

static void run_child(const struct child *child, const struct plan *plan)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    place_descriptors(plan);
    if (!child->control) {
        become(child->account);
    }
    execve(plan->program, (char *const *)(uintptr_t)plan->arguments, (char *const *)(uintptr_t)plan->environment_list);
    _exit(127);
}

static ERRFN fork_child(struct supervisor *s, struct child *child, int control_end)
{
    AUTO(fd) null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    ENSURE(null_fd >= 0, IO);
    struct plan plan = {.argument_count = 0};
    TRY(child->control ? plan_program(s, child, &plan) : plan_module(s, child, &plan));
    TRY(plan_environment(s, child, &plan));
    plan_descriptors(s, child, control_end, null_fd, &plan);
    pid_t pid = fork();
    if (pid < 0) {
        return err_from_errno(errno);
    }
    if (pid == 0) {
        run_child(child, &plan);
    }
    child->pid = pid;
    return OK;
}

static ERRFN send_setup(struct supervisor *s, struct child *child)
{
    AUTO(buf) body = NULL;
    TRY(buf_new(ipc_message_info(IPC_TYPE_setup)->request_max, &body));
    TRY(settings_for_child(s, child, body));
    TRY(ipc_channel_request(child->control, IPC_TYPE_setup, buf_view(body), &child->setup_sequence));
    return ipc_channel_flush(child->control);
}

ERRFN spawn_child(struct supervisor *s, struct child *child)
{
    bool module = child->kind == CHILD_MODULE_CA || child->kind == CHILD_MODULE_TLS;
    int ends[2] = {FD_NONE, FD_NONE};
    AUTO(fd) theirs = FD_NONE;
    ipc_channel_free(STEAL(child->control));
    if (!module) {
        TRY(make_pair(ends));
        theirs = ends[1];
        TRY(ipc_channel_new(ends[0], IPC_CHANNEL_CONTROL, &child->control));
    }
    spawn_discard(s, child);
    TRY(fork_child(s, child, theirs));
    child->state = CHILD_STARTING;
    child->started_at_ms = clock_monotonic_ms();
    child->awaited = 0;
    log_event(LOG_INFO, "child.started", LOG_TEXT("child", child->name), LOG_NUMBER("child_pid", child->pid));
    return module ? OK : send_setup(s, child);
}
