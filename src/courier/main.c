/* itl-courier: will carry requests to configured HTTPS destinations. Until there is one it only
 * answers that it lives. */
#include <poll.h>
#include <stdlib.h>

#include "base/log.h"
#include "process/process.h"
#include "sandbox/sandbox.h"

struct courier {
    struct process *process;
    struct ipc_channel *jobs;
    bool open; /* the channel has a peer */
    bool drained;
};

static err_t reset_channel(void *context, enum ipc_channel_id channel, bool open)
{
    struct courier *c = context;
    ENSURE(channel == IPC_CHANNEL_JOBS, WIRE_STATE);
    if (!open) {
        TRY(ipc_channel_reset(c->jobs));
    }
    c->open = open;
    return OK;
}

/* Nothing is ever under way. */
static void begin_drain(void *context, uint32_t deadline_ms)
{
    (void)deadline_ms;
    struct courier *c = context;
    c->drained = true;
}

static ERRFN answer(struct courier *c, const struct ipc_frame *frame)
{
    struct ipc_courier_ping_request ping;
    ENSURE(!frame->reply && frame->type == IPC_TYPE_courier_ping, WIRE_STATE);
    TRY(ipc_get_courier_ping_request(frame->body, &ping));
    struct ipc_courier_ping_reply reply = {.sent_at = ping.sent_at};
    AUTO(buf) body = NULL;
    TRY(buf_new(ipc_message_info(IPC_TYPE_courier_ping)->reply_max, &body));
    TRY(ipc_put_courier_ping_reply(body, &reply));
    return ipc_channel_reply(c->jobs, frame->type, frame->sequence, buf_view(body));
}

static ERRFN serve_jobs(struct courier *c)
{
    TRY(ipc_channel_receive(c->jobs));
    for (;;) {
        bool found;
        struct ipc_frame frame;
        TRY(ipc_channel_next(c->jobs, &found, &frame));
        if (!found) {
            return ipc_channel_flush(c->jobs);
        }
        TRY(answer(c, &frame));
    }
}

static void serve(struct courier *c)
{
    err_t served = serve_jobs(c);
    if (IS_OK(served)) {
        return;
    }
    c->open = false; /* until the supervisor has put another signer in its place */
    if (!IS_E(served, PEER_GONE)) {
        process_report_violation(c->process, IPC_CHANNEL_JOBS, served);
    }
}

static ERRFN run(struct courier *c)
{
    const struct process_control control = {
        .context = c, .reset = reset_channel, .drain = begin_drain};
    while (!c->drained) {
        struct pollfd fds[] = {
            {.fd = process_control_fd(c->process), .events = POLLIN},
            {.fd = c->open ? ipc_channel_fd(c->jobs) : -1, .events = POLLIN},
        };
        poll(fds, 2, -1);
        /* The supervisor first: what a new signer says makes sense only after the reset that
         * announces it. */
        if (fds[0].revents) {
            TRY(process_obey(c->process, &control));
        }
        if (c->open && fds[1].revents) {
            serve(c);
        }
    }
    return OK;
}

static ERRFN start(struct courier *c, const char **out_subject)
{
    const struct sandbox_settings sandbox = {.profile = SANDBOX_COURIER};
    *out_subject = "accounts.courier";
    TRY(process_drop(c->process));
    *out_subject = "channels";
    TRY(ipc_channel_new(PROCESS_FD_JOBS_COURIER, IPC_CHANNEL_JOBS, &c->jobs));
    c->open = true;
    *out_subject = "sandbox";
    TRY(sandbox_enter(&sandbox));
    return process_ready(c->process, sandbox_profile_hash(&sandbox));
}

int main(void)
{
    static struct courier c;
    const char *subject = "start";
    err_t limited = sandbox_limits(SANDBOX_COURIER);
    if (!IS_OK(limited) || !IS_OK(process_begin("courier", &c.process))) {
        process_exit(EXIT_FAILURE);
    }
    err_t started = start(&c, &subject);
    if (!IS_OK(started)) {
        process_fail(c.process, started, subject);
    }
    log_event(LOG_INFO, "courier.ready");
    err_t ran = run(&c);
    process_exit(IS_OK(ran) ? EXIT_SUCCESS : EXIT_FAILURE);
}
