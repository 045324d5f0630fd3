#include "supervisor/console.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/settings.h"
#include "supervisor/settings.h"
#include "supervisor/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { READ_WAIT_MS = 2000, CALL_WAIT_MS = 30000, ASK_WAIT_MS = 10000 };

static ERRFN socket_address(const char *folder, struct sockaddr_un *out_address)
{
    *out_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(out_address->sun_path, sizeof out_address->sun_path, "%s/console.sock", folder);
    ENSURE(len > 0 && (size_t)len < sizeof out_address->sun_path, TOO_LONG);
    return OK;
}

ERRFN console_open(struct supervisor *s)
{
    struct sockaddr_un address;
    TRY(socket_address(s->config->runtime_directory, &address));
    AUTO(fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    unlink(address.sun_path); /* of an earlier life; two appliances can't share a port anyhow */
    /* The umask is 077, so the socket is its owner's alone from birth. */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || chmod(address.sun_path, 0600) != 0 ||
        listen(fd, 8) != 0) {
        return err_from_errno(errno);
    }
    s->console_fd = fd_steal(&fd);
    return OK;
}

void console_close(struct supervisor *s)
{
    struct sockaddr_un address;
    if (IS_OK(socket_address(s->config->runtime_directory, &address))) {
        unlink(address.sun_path);
    }
}

/* Reads until the empty line that ends a message. */
static ERRFN read_message(int fd, uint64_t wait_ms, struct buf *out_message)
{
    uint64_t deadline = clock_monotonic_ms() + wait_ms;
    for (;;) {
        if (out_message->len >= 2 && memcmp(out_message->data + out_message->len - 2, "\n\n", 2) == 0) {
            return OK;
        }
        uint64_t now = clock_monotonic_ms();
        ENSURE(now < deadline, TIMEOUT);
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        poll(&readable, 1, (int)(deadline - now));
        uint8_t chunk[4096];
        ssize_t got = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        ENSURE(got > 0, PEER_GONE);
        err_t put = buf_put(out_message, view_of(chunk, (size_t)got));
        bytes_wipe(chunk, sizeof chunk);
        TRY(put);
    }
}

/* Only the account that runs the appliance, and root. The socket's mode says so already; this is the second lock. */
static bool peer_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static const char *state_name(enum child_state state)
{
    switch (state) {
    case CHILD_ABSENT:
        return "absent";
    case CHILD_DOWN:
        return "down";
    case CHILD_STARTING:
        return "starting";
    case CHILD_RUNNING:
        return "running";
    case CHILD_STOPPING:
        return "stopping";
    }
    return "unknown";
}

static ERRFN answer_status(struct supervisor *s, struct buf *out)
{
    TRY(settings_put_number(out, "ok", 1));
    TRY(settings_put_number(out, "ready", s->ready));
    TRY(settings_put_number(out, "high_assurance", s->config->high_assurance));
    for (size_t i = 0; i < s->downgrade_count; i++) {
        TRY(settings_put(out, "downgrade", s->downgrades[i].setting));
    }
    for (size_t i = 0; i < CHILD_COUNT; i++) {
        const struct child *child = &s->children[i];
        if (child->state != CHILD_ABSENT) {
            TRY(buf_printf(out, "process %s %s pid=%d profile=%016llx\n", child->name, state_name(child->state), (int)child->pid,
                           (unsigned long long)child->profile));
        }
    }
    return OK;
}

static ERRFN open_breakglass(struct supervisor *s, struct view request, struct buf *out)
{
    struct ipc_breakglass_open_request ask;
    uint64_t minutes;
    struct view key_text;
    AUTO(buf) key = NULL;
    AUTO(buf) body = NULL;
    TRY(settings_get_number(request, "minutes", &minutes));
    ENSURE(minutes >= 1 && minutes <= 240, BREAKGLASS_LIMIT);
    TRY(settings_get(request, "reason", 0, &ask.reason));
    ENSURE(ask.reason.len <= 200, BREAKGLASS_LIMIT);
    TRY(settings_get(request, "public_key", 0, &key_text));
    TRY(buf_new(256, &key));
    TRY(base64_decode(key_text, key));
    ask.minutes = (uint16_t)minutes;
    ask.public_key = buf_view(key);
    TRY(buf_new(2048, &body));
    TRY(ipc_put_breakglass_open_request(body, &ask));
    TRY(watch_ask(s, CHILD_SIGNER, IPC_TYPE_breakglass_open, buf_view(body), ASK_WAIT_MS));
    struct ipc_breakglass_open_reply reply;
    TRY(ipc_get_breakglass_open_reply(buf_view(s->children[CHILD_SIGNER].answer), &reply));
    TRY(settings_put_number(out, "ok", 1));
    TRY(settings_put_number(out, "expires_at", reply.expires_at));
    TRY(buf_put_text(out, "token "));
    TRY(buf_put(out, reply.token));
    return buf_put_u8(out, '\n');
}

static ERRFN close_breakglass(struct supervisor *s, struct buf *out)
{
    struct ipc_breakglass_close_request ask = {.reason = view_text("closed on the console")};
    struct ipc_breakglass_close_reply reply;
    AUTO(buf) body = NULL;
    TRY(buf_new(512, &body));
    TRY(ipc_put_breakglass_close_request(body, &ask));
    TRY(watch_ask(s, CHILD_SIGNER, IPC_TYPE_breakglass_close, buf_view(body), ASK_WAIT_MS));
    TRY(ipc_get_breakglass_close_reply(buf_view(s->children[CHILD_SIGNER].answer), &reply));
    TRY(settings_put_number(out, "ok", 1));
    return settings_put_number(out, "closed", reply.closed);
}

/* The front checks the chain against the key it serves with; only then does it replace the file. */
static ERRFN install_chain(struct supervisor *s, struct view request, struct buf *out)
{
    struct view text;
    AUTO(buf) chain = NULL;
    AUTO(buf) body = NULL;
    char path[PATH_MAX];
    TRY(settings_get(request, "chain", 0, &text));
    TRY(buf_new(IPC_CHAIN_MAX, &chain));
    TRY(base64_decode(text, chain));
    struct ipc_tls_chain_request ask = {.chain = buf_view(chain)};
    struct ipc_tls_chain_reply reply;
    TRY(buf_new(IPC_CHAIN_MAX + 64, &body));
    TRY(ipc_put_tls_chain_request(body, &ask));
    TRY(watch_ask(s, CHILD_FRONT, IPC_TYPE_tls_chain, buf_view(body), ASK_WAIT_MS));
    TRY(ipc_get_tls_chain_reply(buf_view(s->children[CHILD_FRONT].answer), &reply));
    settings_chain_path(s->config, path);
    TRY(fd_write_file_atomic(path, buf_view(chain), 0644));
    supervisor_note(s, "tls_certificate_installed", path);
    TRY(settings_put_number(out, "ok", 1));
    return settings_put_number(out, "not_after", reply.not_after);
}

static ERRFN verify_audit(struct supervisor *s, struct view request, struct buf *out)
{
    struct ipc_audit_verify_request ask;
    struct ipc_audit_verify_reply reply;
    AUTO(buf) body = NULL;
    char hash[HEX_TEXT_SIZE(48)];
    TRY(settings_get_number(request, "from", &ask.from_seq));
    TRY(buf_new(64, &body));
    TRY(ipc_put_audit_verify_request(body, &ask));
    TRY(watch_ask(s, CHILD_SIGNER, IPC_TYPE_audit_verify, buf_view(body), ASK_WAIT_MS));
    TRY(ipc_get_audit_verify_reply(buf_view(s->children[CHILD_SIGNER].answer), &reply));
    hex_encode(view_of(reply.hash, sizeof reply.hash), hash);
    TRY(settings_put_number(out, "ok", 1));
    TRY(settings_put_number(out, "valid", reply.valid));
    TRY(settings_put_number(out, "complete", reply.complete));
    TRY(settings_put_number(out, "next", reply.next_seq));
    TRY(settings_put_number(out, "bad", reply.bad_seq));
    TRY(settings_put(out, "hash", hash));
    TRY(buf_put_text(out, "problem "));
    TRY(buf_put(out, reply.problem));
    return buf_put_u8(out, '\n');
}

static ERRFN answer(struct supervisor *s, struct view request, struct buf *out)
{
    struct view command;
    TRY(settings_get(request, "command", 0, &command));
    if (view_is(command, "status")) {
        return answer_status(s, out);
    }
    if (view_is(command, "breakglass-open")) {
        return open_breakglass(s, request, out);
    }
    if (view_is(command, "breakglass-close")) {
        return close_breakglass(s, out);
    }
    if (view_is(command, "tls-install")) {
        return install_chain(s, request, out);
    }
    if (view_is(command, "audit-verify")) {
        return verify_audit(s, request, out);
    }
    return E(NOT_FOUND);
}

static ERRFN serve_one(struct supervisor *s, int fd)
{
    AUTO(buf) request = NULL;
    AUTO(buf) reply = NULL;
    TRY(buf_new(CONSOLE_MESSAGE_MAX, &request));
    TRY(buf_new(CONSOLE_MESSAGE_MAX, &reply));
    TRY(read_message(fd, READ_WAIT_MS, request));
    err_t done = answer(s, buf_view(request), reply);
    if (!IS_OK(done)) {
        buf_truncate(reply, 0);
        TRY(settings_put(reply, "reason", err_reason(done)));
        TRY(settings_put(reply, "text", err_text(done)));
    }
    TRY(buf_put_u8(reply, '\n'));
    ssize_t put = send(fd, reply->data, reply->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    ENSURE(put == (ssize_t)reply->len, PEER_GONE);
    return done;
}

void console_serve(struct supervisor *s)
{
    AUTO(fd) fd = accept4(s->console_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    err_t served = peer_allowed(fd) ? serve_one(s, fd) : E(AUTH_INVALID);
    if (!IS_OK(served)) {
        log_event(log_level_of(served), "console.refused", LOG_ERR(served));
    }
}

ERRFN console_call(const char *runtime_directory, struct view request, struct buf *out_answer)
{
    struct sockaddr_un address;
    TRY(socket_address(runtime_directory, &address));
    AUTO(fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    ENSURE(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, PEER_GONE);
    TRY(fd_write_full(fd, request.data, request.len));
    TRY(fd_write_full(fd, "\n", 1));
    return read_message(fd, CALL_WAIT_MS, out_answer);
}
