#include "supervisor/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum {
    START_WAIT_MS = 30000,     /* a network HSM's login, a long database check */
    MODULE_WAIT_MS = 10000,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 10000,
    STABLE_AFTER_MS = 60000,   /* a child that lived so long starts with the shortest back-off again */
    STOP_WAIT_MS = 10000,
    FRONT_DRAIN_MS = 5000,
    RESET_WAIT_MS = 10000,     /* a survivor finishes its batch, in which a network HSM may be slow */
    SOCKET_ACCEPTS = 1 << 16   /* the kernel's __SO_ACCEPTCON */
};

static bool is_module(const struct child *child)
{
    return child->kind == CHILD_MODULE_CA || child->kind == CHILD_MODULE_TLS;
}

/* Never kill(0, …), which would be the whole process group: a dead child has pid 0, and what it sent may still be read. */
static void signal_child(const struct child *child, int number)
{
    if (child->pid > 0) {
        kill(child->pid, number);
    }
}

static struct child *survivor(struct supervisor *s, const struct link *link, const struct child *dead)
{
    return &s->children[link->client == dead->kind ? link->server : link->client];
}

static bool joins(const struct link *link, const struct child *child)
{
    return link->client == child->kind || link->server == child->kind;
}

/* PEER_GONE for a child that died but whose death was not yet reaped: two can die at once. */
static ERRFN tell(const struct child *child, enum ipc_type type, struct view body)
{
    uint32_t sequence;
    ENSURE(child->control, PEER_GONE);
    TRY(ipc_channel_request(child->control, type, body, &sequence));
    return ipc_channel_flush(child->control);
}

static void send_reset(const struct child *child, struct link *link, bool open)
{
    struct ipc_channel_reset_request request = {.channel = (uint8_t)link->channel, .open = open};
    AUTO(buf) body = NULL;
    bool sent = IS_OK(buf_new(16, &body)) && IS_OK(ipc_put_channel_reset_request(body, &request)) &&
                IS_OK(tell(child, IPC_TYPE_channel_reset, buf_view(body)));
    if (!sent) {
        signal_child(child, SIGKILL); /* its death is handled like any other */
    } else if (!open) {
        link->closing++;
        link->close_by_ms = clock_monotonic_ms() + RESET_WAIT_MS;
    }
}

/* Everyone who talked to a dead child lets go of the channel; one that was still starting starts over. */
static void close_links(struct supervisor *s, const struct child *dead)
{
    for (size_t i = 0; i < LINK_COUNT; i++) {
        struct link *link = &s->links[i];
        if (!joins(link, dead)) {
            continue;
        }
        link->closing = 0; /* what the dead one still owed */
        struct child *peer = survivor(s, link, dead);
        if (peer->state == CHILD_RUNNING) {
            send_reset(peer, link, false);
            link->closed = true;
        } else if (peer->state == CHILD_STARTING) {
            signal_child(peer, SIGKILL);
        }
    }
}

/* Opens again what was closed: a server's end before its new client starts, because that uses the channel at once; a client's end only
 * when its new server is ready. */
static void open_links(struct supervisor *s, const struct child *successor, bool as_client)
{
    for (size_t i = 0; i < LINK_COUNT; i++) {
        struct link *link = &s->links[i];
        struct child *peer = survivor(s, link, successor);
        bool ours = as_client ? link->client == successor->kind : link->server == successor->kind;
        if (ours && link->closed && peer->state == CHILD_RUNNING) {
            send_reset(peer, link, true);
        }
        link->closed = link->closed && !ours;
    }
}

/* A survivor that does not let go is stuck; without it neither of the two ends would ever serve again. */
static void press_closing(struct supervisor *s, const struct child *dead)
{
    for (size_t i = 0; i < LINK_COUNT; i++) {
        const struct link *link = &s->links[i];
        if (joins(link, dead) && link->closing > 0 && clock_monotonic_ms() > link->close_by_ms) {
            const struct child *peer = survivor(s, link, dead);
            log_event(LOG_ERROR, "reset.timed_out", LOG_TEXT("child", peer->name));
            signal_child(peer, SIGKILL);
        }
    }
}

static bool links_closed(const struct supervisor *s, const struct child *child)
{
    for (size_t i = 0; i < LINK_COUNT; i++) {
        if (joins(&s->links[i], child) && s->links[i].closing > 0) {
            return false;
        }
    }
    return true;
}

static bool is_running(const struct supervisor *s, enum child_kind kind)
{
    enum child_state state = s->children[kind].state;
    return state == CHILD_ABSENT || state == CHILD_RUNNING;
}

/* Whether what the child needs while it starts is there. */
static bool needs_met(const struct supervisor *s, const struct child *child)
{
    switch (child->kind) {
    case CHILD_SIGNER:
        return is_running(s, CHILD_MODULE_CA);
    case CHILD_KEYHOLDER:
        return is_running(s, CHILD_MODULE_TLS);
    case CHILD_FRONT:
        return is_running(s, CHILD_KEYHOLDER) && is_running(s, CHILD_SIGNER);
    case CHILD_MODULE_CA:
    case CHILD_MODULE_TLS:
    case CHILD_COURIER:
    case CHILD_COUNT:
        return true;
    }
    return true;
}

static void fail_start(struct supervisor *s, const struct child *child, err_t why, const char *subject)
{
    log_event(LOG_ERROR, "start.refused", LOG_TEXT("child", child->name), LOG_TEXT("subject", subject), LOG_ERR(why),
              LOG_TEXT("detail", err_text(why)));
    if (!child->was_ready) {
        fprintf(stderr, "itl-attestd: %s cannot start: %s: %s\n", child->name, subject, err_text(why));
        s->failed = true;
        watch_stop(s);
    }
}

static void back_off(struct child *child)
{
    uint64_t now = clock_monotonic_ms();
    if (now - child->started_at_ms > STABLE_AFTER_MS) {
        child->failures = 0;
    }
    uint64_t delay = BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < child->failures && delay < BACKOFF_MAX_MS; i++) {
        delay *= 2;
    }
    child->failures++;
    child->restart_at_ms = now + (delay > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : delay);
}

static void describe_death(const struct child *child, int status, char *out_text, size_t size)
{
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        snprintf(out_text, size, "%s died by signal %d%s", child->name, number,
                 number == SIGSYS ? " (a system call outside its sandbox profile)" : "");
    } else {
        snprintf(out_text, size, "%s exited with status %d", child->name, WEXITSTATUS(status));
    }
}

static void bury(struct supervisor *s, struct child *child, int status)
{
    char detail[128];
    describe_death(child, status, detail, sizeof detail);
    bool expected = s->stopping || child->state == CHILD_STOPPING;
    log_event(expected ? LOG_INFO : LOG_ERROR, "child.ended", LOG_TEXT("child", child->name), LOG_TEXT("detail", detail));
    bool was_starting = child->state == CHILD_STARTING;
    child->state = CHILD_DOWN;
    child->pid = 0;
    if (expected) {
        return;
    }
    if (was_starting && !child->was_ready) {
        fprintf(stderr, "itl-attestd: %s; the lines above say why\n", detail);
        s->failed = true;
        watch_stop(s);
        return;
    }
    supervisor_note(s, "process_ended", detail);
    close_links(s, child);
    if (is_module(child)) {
        struct child *user = &s->children[child->kind == CHILD_MODULE_CA ? CHILD_SIGNER : CHILD_KEYHOLDER];
        signal_child(user, SIGKILL); /* its sessions are gone with the module */
    }
    back_off(child);
}

void watch_reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < CHILD_COUNT; i++) {
            if (s->children[i].pid == pid) {
                bury(s, &s->children[i], status);
            }
        }
    }
}

/* Trust, but look: what the kernel says of the child, not what it says of itself. */
static ERRFN inspect(const struct supervisor *s, const struct child *child)
{
    char why[SANDBOX_WHY_SIZE] = "";
    struct sandbox_expectation expected = {
        .uid = child->account.uid, .gid = child->account.gid, .started_privileged = s->privileged};
    err_t looked = sandbox_inspect(child->pid, &expected, why, sizeof why);
    if (!IS_OK(looked)) {
        log_event(LOG_ERROR, "sandbox.not_in_force", LOG_TEXT("child", child->name), LOG_TEXT("why", why));
    }
    return looked;
}

static void become_running(struct supervisor *s, struct child *child)
{
    child->state = CHILD_RUNNING;
    child->was_ready = true;
    log_event(LOG_INFO, "child.ready", LOG_TEXT("child", child->name),
              LOG_NUMBER("after_ms", clock_monotonic_ms() - child->started_at_ms));
    open_links(s, child, false);
}

static void finish_setup(struct supervisor *s, struct child *child, const struct ipc_frame *frame)
{
    struct ipc_setup_reply reply;
    if (!IS_OK(frame->status)) {
        struct ipc_refusal refusal = {0};
        char subject[129] = "";
        IGNORE_ERR(ipc_get_refusal(frame->body, &refusal));
        IGNORE_ERR(view_to_text(refusal.subject, subject, sizeof subject));
        fail_start(s, child, frame->status, subject);
        return;
    }
    err_t checked = ipc_get_setup_reply(frame->body, &reply);
    if (IS_OK(checked)) {
        child->profile = reply.profile;
        checked = inspect(s, child);
    }
    if (!IS_OK(checked)) {
        signal_child(child, SIGKILL);
        fail_start(s, child, checked, "sandbox");
        return;
    }
    become_running(s, child);
}

/* Who is replaced when a channel was violated: never a process that the accuser is meant to be watched by. */
static void handle_violation(struct supervisor *s, struct child *accuser, const struct ipc_frame *frame)
{
    struct ipc_violation_request notice;
    if (!IS_OK(ipc_get_violation_request(frame->body, &notice))) {
        signal_child(accuser, SIGKILL);
        return;
    }
    struct child *accused = accuser;
    for (size_t i = 0; i < LINK_COUNT; i++) {
        const struct link *link = &s->links[i];
        if ((uint8_t)link->channel == notice.channel && joins(link, accuser)) {
            accused = survivor(s, link, accuser);
        }
    }
    /* The front's word about others is a claim like any other: it is replaced itself. */
    if (accuser->kind == CHILD_FRONT || accuser->kind == CHILD_COURIER) {
        accused = accuser;
    }
    char detail[128];
    snprintf(detail, sizeof detail, "%s reported a violation by %s: %s", accuser->name, accused->name,
             err_reason(err_from_code(notice.reason)));
    log_event(LOG_ERROR, "violation", LOG_TEXT("detail", detail));
    supervisor_note(s, "channel_violation", detail);
    signal_child(accused, SIGKILL);
}

static void note_closed(struct supervisor *s, const struct child *child, const struct ipc_frame *frame)
{
    struct ipc_channel_reset_reply reply;
    if (!IS_OK(frame->status) || !IS_OK(ipc_get_channel_reset_reply(frame->body, &reply))) {
        signal_child(child, SIGKILL);
        return;
    }
    for (size_t i = 0; i < LINK_COUNT; i++) {
        struct link *link = &s->links[i];
        if ((uint8_t)link->channel == reply.channel && joins(link, child) && link->closing > 0) {
            link->closing--;
        }
    }
}

static void handle_frame(struct supervisor *s, struct child *child, const struct ipc_frame *frame)
{
    if (!frame->reply) {
        if (frame->type == IPC_TYPE_violation) {
            handle_violation(s, child, frame);
        } else {
            signal_child(child, SIGKILL);
        }
        return;
    }
    if (frame->type == IPC_TYPE_setup && child->state == CHILD_STARTING) {
        finish_setup(s, child, frame);
    } else if (frame->type == IPC_TYPE_channel_reset) {
        note_closed(s, child, frame);
    }
    if (child->awaited != 0 && frame->sequence == child->awaited) {
        child->answered = true;
        child->answer_status = frame->status;
        IGNORE_ERR(buf_copy(frame->body, &child->answer));
    }
}

void watch_read(struct supervisor *s, struct child *child)
{
    err_t received = ipc_channel_receive(child->control);
    for (;;) {
        bool found = false;
        struct ipc_frame frame;
        err_t next = ipc_channel_next(child->control, &found, &frame);
        if (!IS_OK(next)) {
            signal_child(child, SIGKILL);
            break;
        }
        if (!found) {
            break;
        }
        handle_frame(s, child, &frame);
    }
    if (!IS_OK(received)) {
        ipc_channel_free(STEAL(child->control));
        signal_child(child, SIGKILL); /* gone or going, and if not it can no longer be told anything */
    }
}

static void start(struct supervisor *s, struct child *child)
{
    open_links(s, child, true);
    err_t spawned = spawn_child(s, child);
    if (IS_OK(spawned)) {
        return;
    }
    const char *subject = child->kind == CHILD_SIGNER      ? "hsm.ca.pin_file"
                          : child->kind == CHILD_KEYHOLDER ? "hsm.tls.pin_file"
                          : child->kind == CHILD_FRONT     ? "TLS certificate chain"
                                                           : "start";
    signal_child(child, SIGKILL);
    fail_start(s, child, spawned, subject);
    back_off(child);
}

/* "Num: RefCount Protocol Flags Type St Inode Path": whether it is the listening socket with this path. */
static bool is_listener(const char *line, const char *path)
{
    unsigned long flags;
    int path_at = 0;
    bool read = sscanf(line, "%*s %*s %*s %lx %*s %*s %*s %n", &flags, &path_at) == 1 && path_at > 0;
    return read && (flags & SOCKET_ACCEPTS) != 0 && strcmp(line + path_at, path) == 0;
}

/* A module server is ready when it listens. The kernel's list says so; a connection would not, because the socket is for the account
 * that uses the module and the supervisor has no capability to pass that by. */
static bool module_listens(const struct supervisor *s, const struct child *child)
{
    char path[PATH_MAX];
    char line[PATH_MAX + 128];
    bool found = false;
    spawn_module_socket(s, child->kind, path);
    FILE *list = fopen("/proc/net/unix", "re");
    while (list && !found && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        found = is_listener(line, path);
    }
    if (list) {
        fclose(list);
    }
    return found;
}

static void advance_module(struct supervisor *s, struct child *child)
{
    if (module_listens(s, child)) {
        become_running(s, child);
    } else if (clock_monotonic_ms() - child->started_at_ms > MODULE_WAIT_MS) {
        signal_child(child, SIGKILL);
    }
}

static void advance(struct supervisor *s, struct child *child)
{
    uint64_t now = clock_monotonic_ms();
    if (child->state == CHILD_DOWN && !s->stopping && now >= child->restart_at_ms && needs_met(s, child)) {
        if (links_closed(s, child)) {
            start(s, child);
        } else {
            press_closing(s, child);
        }
    } else if (child->state == CHILD_STARTING && is_module(child)) {
        advance_module(s, child);
    } else if (child->state == CHILD_STARTING && now - child->started_at_ms > START_WAIT_MS) {
        log_event(LOG_ERROR, "start.timed_out", LOG_TEXT("child", child->name));
        signal_child(child, SIGKILL);
    }
}

static bool send_drain(const struct child *child)
{
    struct ipc_drain_request request = {.deadline_ms = FRONT_DRAIN_MS};
    AUTO(buf) body = NULL;
    return IS_OK(buf_new(16, &body)) && IS_OK(ipc_put_drain_request(body, &request)) &&
           IS_OK(tell(child, IPC_TYPE_drain, buf_view(body)));
}

static void stop_child(struct supervisor *s, struct child *child)
{
    if (clock_monotonic_ms() > s->stop_by_ms) {
        signal_child(child, SIGKILL);
        return;
    }
    /* Until it is ready or gives up: software tokens write when one logs in, and to be killed then may break them. */
    if (child->state == CHILD_STARTING && child->control) {
        return;
    }
    if (child->state == CHILD_RUNNING && child->control) {
        child->state = CHILD_STOPPING;
        if (!send_drain(child)) {
            signal_child(child, SIGKILL);
        }
    } else if (child->state != CHILD_STOPPING) {
        child->state = CHILD_STOPPING;
        signal_child(child, is_module(child) ? SIGTERM : SIGKILL);
    }
}

void watch_advance(struct supervisor *s)
{
    for (size_t i = 0; i < CHILD_COUNT; i++) {
        advance(s, &s->children[i]);
    }
    /* Stopping goes one after another, the front first, so that what it still has in hand is answered. */
    for (size_t i = CHILD_COUNT; s->stopping && i-- > 0;) {
        if (s->children[i].pid > 0) {
            stop_child(s, &s->children[i]);
            return;
        }
    }
}

void watch_stop(struct supervisor *s)
{
    if (!s->stopping) {
        s->stopping = true;
        s->stop_by_ms = clock_monotonic_ms() + STOP_WAIT_MS;
    }
}

bool watch_all_gone(const struct supervisor *s)
{
    for (size_t i = 0; i < CHILD_COUNT; i++) {
        if (s->children[i].pid > 0) {
            return false;
        }
    }
    return true;
}

ERRFN watch_ask(struct supervisor *s, enum child_kind kind, enum ipc_type type, struct view body, uint32_t deadline_ms)
{
    struct child *child = &s->children[kind];
    ENSURE(child->state == CHILD_RUNNING && child->control, PEER_GONE);
    buf_free(STEAL(child->answer));
    child->answered = false;
    TRY(ipc_channel_request(child->control, type, body, &child->awaited));
    TRY(ipc_channel_flush(child->control));
    uint64_t deadline = clock_monotonic_ms() + deadline_ms;
    while (!child->answered && child->control) {
        uint64_t now = clock_monotonic_ms();
        if (now >= deadline) {
            child->awaited = 0;
            return E(TIMEOUT);
        }
        struct pollfd readable = {.fd = ipc_channel_fd(child->control), .events = POLLIN};
        poll(&readable, 1, (int)(deadline - now));
        watch_read(s, child);
    }
    child->awaited = 0;
    ENSURE(child->answered, PEER_GONE);
    ENSURE(!IS_OK(child->answer_status) || child->answer, NO_MEMORY);
    return child->answer_status;
}
