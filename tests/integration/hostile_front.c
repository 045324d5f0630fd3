/* A compromised front. Installed in itl-front's place and started by the real supervisor beside the real signer and keyholder, it enters the
 * front's sandbox, says that it is ready, and then is the puppet of whoever connects to the public port: after one line ("api", "tls", "control",
 * "api-with-descriptor") bytes go both ways between that connection and the channel, unchanged. */
#include "base/fd.h"
#include "base/log.h"
#include "process/process.h"
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LINE_MAX_BYTES = 32, CHUNK_BYTES = 65536 };

static ERRFN read_line(int fd, char out_line[static LINE_MAX_BYTES])
{
    for (size_t i = 0; i < LINE_MAX_BYTES; i++) {
        TRY(fd_read_full(fd, out_line + i, 1));
        if (out_line[i] == '\n') {
            out_line[i] = '\0';
            return OK;
        }
    }
    return E(TOO_LONG);
}

static int channel_of(const char *line)
{
    if (strcmp(line, "tls") == 0) {
        return PROCESS_FD_TLS_FRONT;
    }
    return strcmp(line, "control") == 0 ? PROCESS_FD_CONTROL : PROCESS_FD_API_FRONT;
}

/* One byte with a descriptor of ours attached. The front's own profile has no sendmsg, so this happens in a process that was made before the
 * seal: the signer must cope even with a front that was never sealed. */
static void send_descriptor(int channel)
{
    char byte = 0;
    int descriptor = STDERR_FILENO;
    struct iovec iov = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cmsg), &descriptor, sizeof descriptor);
    sendmsg(channel, &msg, 0);
}

/* Moves what has come from one to the other; false at the end. */
static bool relay(int from, int to)
{
    static uint8_t chunk[CHUNK_BYTES];
    ssize_t got = recv(from, chunk, sizeof chunk, 0);
    return got > 0 && IS_OK(fd_write_full(to, chunk, (size_t)got));
}

/* Waits for a byte on the pipe, sends, ends; ends as well when the front dies. */
static ERRFN make_accomplice(int *out_pipe)
{
    int ends[2];
    ENSURE(pipe2(ends, O_CLOEXEC) == 0, IO);
    pid_t pid = fork();
    ENSURE(pid >= 0, IO);
    if (pid == 0) {
        char byte;
        close(ends[1]);
        if (read(ends[0], &byte, 1) == 1) {
            send_descriptor(PROCESS_FD_API_FRONT);
        }
        _exit(0);
    }
    close(ends[0]);
    *out_pipe = ends[1];
    return OK;
}

static void serve_puppeteer(int connection, int accomplice)
{
    char line[LINE_MAX_BYTES];
    if (!IS_OK(read_line(connection, line))) {
        return;
    }
    int channel = channel_of(line);
    if (strcmp(line, "api-with-descriptor") == 0) {
        IGNORE_ERR(fd_write_full(accomplice, "x", 1));
    }
    bool open = true;
    while (open) {
        struct pollfd fds[] = {{.fd = connection, .events = POLLIN}, {.fd = channel, .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[0].revents) {
            open = relay(connection, channel);
        }
        if (open && fds[1].revents) {
            open = relay(channel, connection);
        }
    }
}

static ERRFN become_ready(struct process *p, int *out_accomplice)
{
    struct sandbox_settings sandbox = {.profile = SANDBOX_FRONT};
    TRY(process_drop(p));
    TRY(make_accomplice(out_accomplice));
    TRY(sandbox_confine(&sandbox));
    TRY(sandbox_enter(&sandbox));
    return process_ready(p, sandbox_profile_hash(&sandbox));
}

int main(void)
{
    struct process *p;
    if (!IS_OK(sandbox_limits(SANDBOX_FRONT)) || !IS_OK(process_begin("front", &p))) {
        process_exit(EXIT_FAILURE);
    }
    int accomplice = FD_NONE;
    err_t ready = become_ready(p, &accomplice);
    if (!IS_OK(ready)) {
        process_fail(p, ready, "hostile front");
    }
    for (;;) {
        AUTO(fd) connection = accept(PROCESS_FD_LISTEN, NULL, NULL);
        if (connection >= 0) {
            serve_puppeteer(connection, accomplice);
        }
    }
}
