/* itl-front: what speaks to the network. It holds no key, opens no file and decides nothing:
 * requests become messages to the signer, and TLS handshakes are signed by the keyholder. See
 * SECURITY.md. */
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/drain.h"
#include "front/front.h"
#include "front/health.h"
#include "front/http.h"
#include "front/keyholder.h"
#include "front/tls.h"
#include "front/tls_provider.h"
#include "process/process.h"
#include "sandbox/sandbox.h"

struct program {
    struct process *process;
    struct front front;
    struct client_anchor *anchor;
    struct tls *tls;
    struct http *http;
    struct drain drain;
    bool tls_open; /* the channel has a peer */
    bool api_open;
};

/* -- control channel --------------------------------------------------------------------------- */

static err_t reset_channel(void *context, enum ipc_channel_id channel, bool open)
{
    struct program *p = context;
    ENSURE(channel == IPC_CHANNEL_TLS || channel == IPC_CHANNEL_API, WIRE_STATE);
    bool tls = channel == IPC_CHANNEL_TLS;
    TRY(ipc_client_reset(tls ? p->front.tls : p->front.api, open));
    *(tls ? &p->tls_open : &p->api_open) = open;
    if (!tls) {
        client_anchor_forget(p->anchor);
    }
    log_event(LOG_INFO, open ? "channel.opened" : "channel.closed",
              LOG_TEXT("channel", tls ? "tls" : "api"));
    return OK;
}

static void begin_drain(void *context, uint32_t deadline_ms)
{
    struct program *p = context;
    log_event(LOG_INFO, "drain.begun", LOG_NUMBER("deadline_ms", deadline_ms),
              LOG_NUMBER("requests", http_busy(p->http)));
    http_drain(p->http);
    drain_begin(&p->drain, clock_monotonic_ms(), deadline_ms);
}

static err_t take_chain(void *context, const struct ipc_frame *frame, struct buf *out_reply)
{
    struct program *p = context;
    struct ipc_tls_chain_request request;
    struct ipc_tls_chain_reply reply;
    ENSURE(frame->type == IPC_TYPE_tls_chain, WIRE_STATE);
    TRY(ipc_get_tls_chain_request(frame->body, &request));
    TRY(tls_set_chain(p->tls, request.chain, &reply.not_after));
    log_event(LOG_INFO, "tls.chain_changed", LOG_NUMBER("not_after", reply.not_after));
    return ipc_put_tls_chain_reply(out_reply, &reply);
}

/* -- channels ---------------------------------------------------------------------------------- */

static void pump(struct program *p, struct ipc_client *client, enum ipc_channel_id channel,
                 bool *open)
{
    err_t pumped = ipc_client_pump(client);
    if (IS_OK(pumped)) {
        return;
    }
    *open = false; /* until the supervisor has put another in its place */
    if (!IS_E(pumped, PEER_GONE)) {
        process_report_violation(p->process, channel, pumped);
    }
}

static bool readable(const struct pollfd *fd)
{
    return (fd->revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

/* Passes replies to the workers that wait for them and obeys the supervisor, until it is gone or
 * the drain is done. */
static ERRFN run(struct program *p)
{
    const struct process_control control = {
        .context = p, .reset = reset_channel, .drain = begin_drain, .other = take_chain};
    for (;;) {
        /* A negative descriptor is skipped by poll. */
        struct pollfd fds[] = {
            {.fd = process_control_fd(p->process), .events = POLLIN},
            {.fd = p->tls_open ? ipc_client_fd(p->front.tls) : -1, .events = POLLIN},
            {.fd = p->api_open ? ipc_client_fd(p->front.api) : -1, .events = POLLIN},
        };
        poll(fds, 3, drain_wait_ms(&p->drain));
        /* The supervisor first: what a new peer says makes sense only after the reset that
         * announces it. */
        if (readable(&fds[0])) {
            TRY(process_obey(p->process, &control));
        }
        if (p->tls_open && readable(&fds[1])) {
            pump(p, p->front.tls, IPC_CHANNEL_TLS, &p->tls_open);
        }
        if (p->api_open && readable(&fds[2])) {
            pump(p, p->front.api, IPC_CHANNEL_API, &p->api_open);
        }
        if (drain_is_over(&p->drain, clock_monotonic_ms(), http_busy(p->http))) {
            return OK;
        }
    }
}

/* -- start ------------------------------------------------------------------------------------- */

static ERRFN open_channels(struct program *p)
{
    TRY(ipc_client_new(PROCESS_FD_TLS_FRONT, IPC_CHANNEL_TLS, &p->front.tls));
    TRY(ipc_client_new(PROCESS_FD_API_FRONT, IPC_CHANNEL_API, &p->front.api));
    p->tls_open = true;
    p->api_open = true;
    return OK;
}

static ERRFN start_tls(struct program *p, const char **out_subject)
{
    const struct tls_signer signer = {.context = p->front.tls, .sign = keyholder_sign};
    *out_subject = "tls.chain_file";
    TRY(tls_provider_load(&signer));
    TRY(client_anchor_new(p->front.api, &p->anchor));
    TRY(tls_new(process_chain(p->process), p->anchor, &p->tls));
    return keyholder_prove(p->front.tls, p->tls);
}

static ERRFN start(struct program *p, const char **out_subject)
{
    const struct sandbox_settings sandbox = {.profile = SANDBOX_FRONT};
    TRY(front_settings_read(process_settings(p->process), &p->front.settings, out_subject));
    *out_subject = "accounts.front";
    TRY(process_drop(p->process));
    *out_subject = "sandbox";
    TRY(sandbox_confine(&sandbox)); /* before the first thread: threads inherit it */
    *out_subject = "channels";
    TRY(open_channels(p));
    TRY(rate_new(p->front.settings.rate_per_minute, &p->front.rate));
    TRY(health_write(&p->front.settings, &p->front.health));
    TRY(start_tls(p, out_subject));
    *out_subject = "listen.address";
    TRY(http_start(&p->front, tls_context(p->tls), PROCESS_FD_LISTEN, &p->http));
    *out_subject = "sandbox";
    TRY(sandbox_enter(&sandbox));
    return process_ready(p->process, sandbox_profile_hash(&sandbox));
}

int main(void)
{
    static struct program p;
    const char *subject = "start";
    err_t limited = sandbox_limits(SANDBOX_FRONT);
    if (!IS_OK(limited) || !IS_OK(process_begin("front", &p.process))) {
        process_exit(EXIT_FAILURE);
    }
    err_t started = start(&p, &subject);
    if (!IS_OK(started)) {
        process_fail(p.process, started, subject);
    }
    log_event(LOG_INFO, "front.ready", LOG_NUMBER("workers", p.front.settings.workers));
    err_t ran = run(&p);
    process_exit(IS_OK(ran) ? EXIT_SUCCESS : EXIT_FAILURE);
}
