#include "keyholder/serve.h"

#include <poll.h>

#include "base/clock.h"
#include "base/log.h"

/* A front that asks for more than this uses the key for something other than its clients: two
 * processors cannot do as many handshakes. */
enum { SIGNATURES_PER_SECOND_MAX = 2000 };

static err_t reset_channel(void *context, enum ipc_channel_id channel, bool open)
{
    struct keyholder *k = context;
    ENSURE(channel == IPC_CHANNEL_TLS, WIRE_STATE);
    if (!open) {
        TRY(ipc_channel_reset(k->tls));
    }
    k->open = open;
    return OK;
}

static void begin_drain(void *context, uint32_t deadline_ms)
{
    (void)deadline_ms; /* a signature is never under way between two messages */
    struct keyholder *k = context;
    k->drained = true;
}

/* Counts by the second and says so once, when a second is over that had refusals or too many
 * signatures. */
static void count(struct keyholder *k, bool refused)
{
    uint64_t second = clock_monotonic_ms() / 1000;
    if (second != k->second) {
        if (k->refused_in_second > 0 || k->signed_in_second > SIGNATURES_PER_SECOND_MAX) {
            log_event(LOG_WARN, "tls.signatures", LOG_NUMBER("refused", k->refused_in_second),
                      LOG_NUMBER("signed", k->signed_in_second));
        }
        k->second = second;
        k->signed_in_second = 0;
        k->refused_in_second = 0;
    }
    k->refused_in_second += refused;
    k->signed_in_second += !refused;
}

static ERRFN reply(struct keyholder *k, const struct ipc_frame *frame, struct buf *signature)
{
    struct ipc_tls_sign_reply message = {.signature = buf_view(signature)};
    AUTO(buf) body = NULL;
    TRY(buf_new(ipc_message_info(IPC_TYPE_tls_sign)->reply_max, &body));
    TRY(ipc_put_tls_sign_reply(body, &message));
    return ipc_channel_reply(k->tls, frame->type, frame->sequence, buf_view(body));
}

static ERRFN answer(struct keyholder *k, const struct ipc_frame *frame)
{
    struct ipc_tls_sign_request request;
    AUTO(buf) signature = NULL;
    ENSURE(!frame->reply && frame->type == IPC_TYPE_tls_sign, WIRE_STATE);
    TRY(ipc_get_tls_sign_request(frame->body, &request));
    TRY(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature));
    err_t made = sign_certificate_verify(&k->key, request.content, signature);
    count(k, !IS_OK(made));
    if (IS_OK(made)) {
        return reply(k, frame, signature);
    }
    if (k->refused_in_second == 1) {
        log_event(log_level_of(made), "tls.sign_refused", LOG_ERR(made),
                  LOG_NUMBER("length", request.content.len));
    }
    return ipc_channel_refuse(k->tls, frame->type, frame->sequence, made, "", 0);
}

static ERRFN serve_channel(struct keyholder *k)
{
    TRY(ipc_channel_receive(k->tls));
    for (;;) {
        bool found;
        struct ipc_frame frame;
        TRY(ipc_channel_next(k->tls, &found, &frame));
        if (!found) {
            return OK;
        }
        TRY(answer(k, &frame));
        /* At once: a handshake waits for it, and the next signature takes most of a millisecond. */
        TRY(ipc_channel_flush(k->tls));
    }
}

static void serve_front(struct keyholder *k, short events)
{
    err_t served =
        events & (POLLIN | POLLHUP | POLLERR) ? serve_channel(k) : ipc_channel_flush(k->tls);
    if (IS_OK(served)) {
        return;
    }
    k->open = false; /* until the supervisor has put another front in its place */
    if (!IS_E(served, PEER_GONE)) {
        process_report_violation(k->process, IPC_CHANNEL_TLS, served);
    }
}

ERRFN serve(struct keyholder *k)
{
    const struct process_control control = {
        .context = k, .reset = reset_channel, .drain = begin_drain};
    while (!k->drained) {
        short wanted = (short)(ipc_channel_has_unsent(k->tls) ? POLLIN | POLLOUT : POLLIN);
        struct pollfd fds[] = {
            {.fd = process_control_fd(k->process), .events = POLLIN},
            {.fd = k->open ? ipc_channel_fd(k->tls) : -1, .events = wanted},
        };
        poll(fds, 2, -1);
        /* The supervisor first: what a new front says makes sense only after the reset that
         * announces it. */
        if (fds[0].revents) {
            TRY(process_obey(k->process, &control));
        }
        if (k->open && fds[1].revents) {
            serve_front(k, fds[1].revents);
        }
    }
    return OK;
}
