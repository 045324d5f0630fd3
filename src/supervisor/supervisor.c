#include "supervisor/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "supervisor/console.h"
#include "supervisor/notify.h"
#include "supervisor/prepare.h"
#include "supervisor/spawn.h"
#include "supervisor/watch.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

enum { TICK_MS = 50 };

void supervisor_note(struct supervisor *s, const char *action, const char *detail)
{
    if (s->note_count == EVENTS_MAX) {
        log_event(LOG_ERROR, "audit.note_dropped", LOG_TEXT("action", action), LOG_TEXT("detail", detail));
        return;
    }
    struct audit_note *note = &s->notes[s->note_count++];
    snprintf(note->action, sizeof note->action, "%s", action);
    snprintf(note->detail, sizeof note->detail, "%s", detail);
}

static ERRFN send_note(struct supervisor *s, const struct audit_note *note)
{
    struct ipc_audit_event_request request = {.action = view_text(note->action), .detail = view_text(note->detail)};
    AUTO(buf) body = NULL;
    uint32_t sequence;
    struct child *signer = &s->children[CHILD_SIGNER];
    TRY(buf_new(1024, &body));
    TRY(ipc_put_audit_event_request(body, &request));
    TRY(ipc_channel_request(signer->control, IPC_TYPE_audit_event, buf_view(body), &sequence));
    return ipc_channel_flush(signer->control);
}

void supervisor_flush_notes(struct supervisor *s)
{
    const struct child *signer = &s->children[CHILD_SIGNER];
    size_t sent = 0;
    while (sent < s->note_count && signer->state == CHILD_RUNNING && signer->control && IS_OK(send_note(s, &s->notes[sent]))) {
        sent++;
    }
    s->note_count -= sent;
    memmove(s->notes, s->notes + sent, s->note_count * sizeof s->notes[0]);
}

static bool all_running(const struct supervisor *s)
{
    for (size_t i = 0; i < CHILD_COUNT; i++) {
        if (s->children[i].state != CHILD_RUNNING && s->children[i].state != CHILD_ABSENT) {
            return false;
        }
    }
    return true;
}

static void note_downgrades(struct supervisor *s)
{
    for (size_t i = 0; !s->config->high_assurance && i < s->downgrade_count; i++) {
        log_event(LOG_WARN, "high_assurance.off", LOG_TEXT("setting", s->downgrades[i].setting),
                  LOG_TEXT("why", s->downgrades[i].why));
        supervisor_note(s, "high_assurance_off", s->downgrades[i].setting);
    }
}

static void check_ready(struct supervisor *s)
{
    bool running = all_running(s);
    if (running && !s->ready) {
        log_event(LOG_INFO, "appliance.ready", LOG_TEXT("url", s->config->service_url));
        supervisor_note(s, "appliance_ready", s->config->service_url);
        note_downgrades(s);
        notify_ready();
    }
    s->ready = running;
}

static void read_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
            log_event(LOG_INFO, "appliance.stopping");
            notify_stopping();
            watch_stop(s);
        }
    }
    watch_reap(s);
}

enum { WATCH_SIGNAL = 0, WATCH_CONSOLE, WATCH_CHILDREN, WATCH_COUNT = WATCH_CHILDREN + CHILD_COUNT };

static void watch_fds(const struct supervisor *s, struct pollfd *fds)
{
    fds[WATCH_SIGNAL] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
    fds[WATCH_CONSOLE] = (struct pollfd){.fd = s->console_fd, .events = POLLIN};
    for (size_t i = 0; i < CHILD_COUNT; i++) {
        const struct child *child = &s->children[i];
        int fd = child->control ? ipc_channel_fd(child->control) : FD_NONE;
        fds[WATCH_CHILDREN + i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
}

static void run_loop(struct supervisor *s)
{
    while (!s->stopping || !watch_all_gone(s)) {
        struct pollfd fds[WATCH_COUNT];
        watch_fds(s, fds);
        poll(fds, WATCH_COUNT, TICK_MS);
        for (size_t i = 0; i < CHILD_COUNT; i++) {
            if (fds[WATCH_CHILDREN + i].revents && s->children[i].control) {
                watch_read(s, &s->children[i]);
            }
        }
        if (fds[WATCH_SIGNAL].revents) {
            read_signal(s);
        }
        if (fds[WATCH_CONSOLE].revents) {
            console_serve(s);
        }
        watch_advance(s);
        check_ready(s);
        supervisor_flush_notes(s);
    }
}

int supervisor_run(const struct config *config)
{
    static struct supervisor s;
    s = (struct supervisor){.config = config, .listen_fd = FD_NONE, .console_fd = FD_NONE, .signal_fd = FD_NONE};
    if (!prepare(&s)) {
        return EXIT_FAILURE;
    }
    run_loop(&s);
    console_close(&s);
    log_event(LOG_INFO, "appliance.stopped");
    return s.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
