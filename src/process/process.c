#include "process/process.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "ipc/settings.h"
#include "sandbox/sandbox.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { SETUP_WAIT_MS = 10000 };

struct process {
    struct ipc_channel *control;
    struct buf *setup_body; /* settings, PIN and chain live here until the process is ready */
    struct ipc_setup_request setup;
    uint32_t setup_sequence;
};

/* Waits for the first frame, which must be the setup. */
static ERRFN await_setup(struct process *p)
{
    uint64_t deadline = clock_monotonic_ms() + SETUP_WAIT_MS;
    for (;;) {
        bool found;
        struct ipc_frame frame;
        TRY(ipc_channel_receive(p->control));
        TRY(ipc_channel_next(p->control, &found, &frame));
        if (found) {
            ENSURE(!frame.reply && frame.type == IPC_TYPE_setup, WIRE_STATE);
            TRY(buf_copy(frame.body, &p->setup_body));
            bytes_wipe((void *)(uintptr_t)frame.body.data, frame.body.len);
            p->setup_sequence = frame.sequence;
            return ipc_get_setup_request(buf_view(p->setup_body), &p->setup);
        }
        uint64_t now = clock_monotonic_ms();
        ENSURE(now < deadline, TIMEOUT);
        struct pollfd readable = {.fd = ipc_channel_fd(p->control), .events = POLLIN};
        poll(&readable, 1, (int)(deadline - now));
    }
}

static void process_free(struct process *p)
{
    ipc_channel_free(p->control);
    buf_free(p->setup_body);
    free(p);
}
AUTO_DEFINE(process, struct process, process_free);

ERRFN process_begin(const char *name, struct process **out_process)
{
    /* UTC without a time zone file: nothing may have to be opened after the seal. */
    setenv("TZ", "UTC0", 1);
    tzset();
    /* Stopping is the supervisor's business: a signal to the whole process group must not end us before our time. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    log_open(STDERR_FILENO, name, LOG_INFO);
    TRY(secret_setup());
    AUTO(process) p = calloc(1, sizeof *p);
    ENSURE(p, NO_MEMORY);
    TRY(ipc_channel_new(PROCESS_FD_CONTROL, IPC_CHANNEL_CONTROL, &p->control));
    TRY(await_setup(p));
    *out_process = STEAL(p);
    return OK;
}

struct view process_settings(const struct process *p)
{
    return p->setup.settings;
}

struct view process_chain(const struct process *p)
{
    return p->setup.chain;
}

ERRFN process_drop(const struct process *p)
{
    uint64_t uid;
    uint64_t gid;
    struct sandbox_account account = {.die_with_parent = true};
    if (IS_OK(settings_get_number(p->setup.settings, "account_uid", &uid))) {
        TRY(settings_get_number(p->setup.settings, "account_gid", &gid));
        account.change = true;
        account.uid = (uid_t)uid;
        account.gid = (gid_t)gid;
    }
    return sandbox_drop(&account);
}

ERRFN process_take_pin(struct process *p, struct secret **out_pin)
{
    ENSURE(p->setup.pin.len > 0, TOKEN_PIN);
    TRY(secret_copy(p->setup.pin, out_pin));
    bytes_wipe((void *)(uintptr_t)p->setup.pin.data, p->setup.pin.len);
    p->setup.pin = VIEW_EMPTY;
    return OK;
}

ERRFN process_ready(struct process *p, uint64_t profile_hash)
{
    struct ipc_setup_reply reply = {.profile = profile_hash, .detail = view_text("sealed")};
    AUTO(buf) body = NULL;
    TRY(buf_new(ipc_message_info(IPC_TYPE_setup)->reply_max, &body));
    TRY(ipc_put_setup_reply(body, &reply));
    TRY(ipc_channel_reply(p->control, IPC_TYPE_setup, p->setup_sequence, buf_view(body)));
    buf_free(STEAL(p->setup_body));
    p->setup = (struct ipc_setup_request){0};
    return ipc_channel_flush(p->control);
}

_Noreturn void process_fail(struct process *p, err_t why, const char *subject)
{
    log_event(LOG_ERROR, "start.failed", LOG_ERR(why), LOG_TEXT("subject", subject), LOG_TEXT("detail", err_text(why)));
    if (p) {
        IGNORE_ERR(ipc_channel_refuse(p->control, IPC_TYPE_setup, p->setup_sequence, why, subject, 0));
        IGNORE_ERR(ipc_channel_flush(p->control));
    }
    process_exit(EXIT_FAILURE);
}

_Noreturn void process_exit(int status)
{
    _exit(status);
}

int process_control_fd(const struct process *p)
{
    return ipc_channel_fd(p->control);
}

static ERRFN reset_channel(const struct process_control *control, const struct ipc_frame *frame, struct buf *out_reply)
{
    struct ipc_channel_reset_request request;
    TRY(ipc_get_channel_reset_request(frame->body, &request));
    ENSURE(control->reset, WIRE_STATE);
    TRY(control->reset(control->context, (enum ipc_channel_id)request.channel, request.open == 1));
    struct ipc_channel_reset_reply reply = {.channel = request.channel};
    return ipc_put_channel_reset_reply(out_reply, &reply);
}

static ERRFN begin_drain(const struct process_control *control, const struct ipc_frame *frame, struct buf *out_reply)
{
    struct ipc_drain_request request;
    TRY(ipc_get_drain_request(frame->body, &request));
    control->drain(control->context, request.deadline_ms);
    struct ipc_drain_reply reply = {.done = 1};
    return ipc_put_drain_reply(out_reply, &reply);
}

static ERRFN handle(const struct process_control *control, const struct ipc_frame *frame, struct buf *out_reply)
{
    switch ((enum ipc_type)frame->type) {
    case IPC_TYPE_channel_reset:
        return reset_channel(control, frame, out_reply);
    case IPC_TYPE_drain:
        return begin_drain(control, frame, out_reply);
    default: /* every other message of the control channel belongs to one kind of process */
        ENSURE(control->other, WIRE_STATE);
        return control->other(control->context, frame, out_reply);
    }
}

static ERRFN answer(struct process *p, const struct process_control *control, const struct ipc_frame *frame)
{
    AUTO(buf) reply = NULL;
    TRY(buf_new(ipc_message_info(frame->type)->reply_max, &reply));
    err_t handled = handle(control, frame, reply);
    if (!IS_OK(handled)) {
        return ipc_channel_refuse(p->control, frame->type, frame->sequence, handled, "", 0);
    }
    return ipc_channel_reply(p->control, frame->type, frame->sequence, buf_view(reply));
}

ERRFN process_obey(struct process *p, const struct process_control *control)
{
    TRY(ipc_channel_receive(p->control));
    for (;;) {
        bool found;
        struct ipc_frame frame;
        TRY(ipc_channel_next(p->control, &found, &frame));
        if (!found) {
            return ipc_channel_flush(p->control);
        }
        if (!frame.reply) {
            TRY(answer(p, control, &frame));
        }
    }
}

void process_report_violation(struct process *p, enum ipc_channel_id channel, err_t reason)
{
    log_event(LOG_ERROR, "channel.violation", LOG_NUMBER("channel", channel), LOG_ERR(reason));
    struct ipc_violation_request notice = {.channel = (uint8_t)channel, .reason = reason.code};
    AUTO(buf) body = NULL;
    uint32_t sequence;
    if (!IS_OK(buf_new(16, &body)) || !IS_OK(ipc_put_violation_request(body, &notice))) {
        return;
    }
    IGNORE_ERR(ipc_channel_request(p->control, IPC_TYPE_violation, buf_view(body), &sequence));
    IGNORE_ERR(ipc_channel_flush(p->control));
}
