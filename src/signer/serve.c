#include "signer/serve.h"

#include "base/clock.h"
#include "base/log.h"
#include "signer/batch.h"
#include "signer/control.h"
#include "signer/in_force.h"
#include "signer/record.h"
#include "sql/proof.h"

#include <poll.h>

enum {
    TICK_MS = 250,           /* heads, expiry, pings */
    EXPIRY_INTERVAL_MS = 1000,
    EXPIRY_ROWS_MAX = 2000,  /* of each kind at a time: a few milliseconds */
    PING_INTERVAL_MS = 5000
};

static void expire(struct signer *s)
{
    uint64_t now = clock_monotonic_ms();
    if (now - s->expired_at_ms < EXPIRY_INTERVAL_MS) {
        return;
    }
    s->expired_at_ms = now;
    uint64_t removed = 0;
    err_t done = db_begin(s->db);
    if (IS_OK(done)) {
        done = expire_old(s->db, clock_utc_ms(), EXPIRY_ROWS_MAX, &removed);
        if (IS_OK(done)) {
            done = db_commit(s->db);
        } else {
            db_rollback(s->db);
        }
    }
    if (!IS_OK(done)) {
        log_event(log_level_of(done), "expiry.failed", LOG_ERR(done));
    }
}

static void ping_courier(struct signer *s)
{
    uint64_t now = clock_monotonic_ms();
    if (s->jobs_dead || (s->ping_sent_at_ms != 0 && now - s->ping_sent_at_ms < PING_INTERVAL_MS)) {
        return;
    }
    struct ipc_courier_ping_request ping = {.sent_at = now};
    AUTO(buf) body = NULL;
    uint32_t sequence;
    if (!IS_OK(buf_new(16, &body)) || !IS_OK(ipc_put_courier_ping_request(body, &ping)) ||
        !IS_OK(ipc_channel_request(s->jobs, IPC_TYPE_courier_ping, buf_view(body), &sequence))) {
        return;
    }
    s->ping_sent_at_ms = now;
    IGNORE_ERR(ipc_channel_flush(s->jobs));
}

static ERRFN read_pongs(struct signer *s)
{
    TRY(ipc_channel_receive(s->jobs));
    for (;;) {
        bool found;
        struct ipc_frame frame;
        TRY(ipc_channel_next(s->jobs, &found, &frame));
        if (!found) {
            return OK;
        }
        struct ipc_courier_ping_reply pong;
        ENSURE(frame.reply && frame.type == IPC_TYPE_courier_ping, WIRE);
        TRY(ipc_get_courier_ping_reply(frame.body, &pong));
        s->ping_answered_at_ms = clock_monotonic_ms();
    }
}

static void serve_jobs(struct signer *s)
{
    err_t read = read_pongs(s);
    if (!IS_OK(read)) {
        s->jobs_dead = true;
        if (IS_E(read, WIRE)) {
            process_report_violation(s->process, IPC_CHANNEL_JOBS, read);
        }
    }
}

static void serve_api(struct signer *s)
{
    err_t served = batch_run(s);
    if (IS_OK(served)) {
        return;
    }
    s->api_dead = true; /* until the supervisor has replaced the front */
    if (!IS_E(served, PEER_GONE)) {
        process_report_violation(s->process, IPC_CHANNEL_API, served);
    }
}

static void sign_head(struct signer *s, bool now)
{
    err_t head = record_sign_head(s, now);
    if (!IS_OK(head)) {
        log_event(log_level_of(head), "audit.head_failed", LOG_ERR(head));
    }
}

static void tick(struct signer *s)
{
    sign_head(s, false);
    expire(s);
    ping_courier(s);
}

static void finish(struct signer *s)
{
    sign_head(s, true);
    err_t moved = db_checkpoint(s->db);
    log_event(LOG_INFO, "signer.stopped", LOG_NUMBER("batches", s->batches), LOG_NUMBER("requests", s->batched_requests),
              LOG_NUMBER("largest_batch", s->largest_batch), LOG_ERR(moved));
}

enum { WATCH_CONTROL = 0, WATCH_API, WATCH_JOBS, WATCH_COUNT };

static void watch(const struct signer *s, struct pollfd *fds)
{
    fds[WATCH_CONTROL] = (struct pollfd){.fd = process_control_fd(s->process), .events = POLLIN};
    short out = ipc_channel_has_unsent(s->api) ? POLLOUT : 0;
    fds[WATCH_API] = (struct pollfd){.fd = s->api_dead ? -1 : ipc_channel_fd(s->api), .events = (short)(POLLIN | out)};
    fds[WATCH_JOBS] = (struct pollfd){.fd = s->jobs_dead ? -1 : ipc_channel_fd(s->jobs), .events = POLLIN};
}

ERRFN serve(struct signer *s)
{
    while (!s->draining) {
        struct pollfd fds[WATCH_COUNT];
        watch(s, fds);
        int timeout = batch_waits(s) ? 0 : TICK_MS;
        poll(fds, WATCH_COUNT, timeout);
        if (fds[WATCH_CONTROL].revents) {
            TRY(control_obey(s));
        }
        if (!s->api_dead && (fds[WATCH_API].revents || batch_waits(s))) {
            serve_api(s);
        }
        if (s->policy_changed) {
            TRY(in_force_reload(s)); /* never go on under another policy than the database names */
        }
        if (!s->jobs_dead && fds[WATCH_JOBS].revents) {
            serve_jobs(s);
        }
        tick(s);
    }
    finish(s);
    return OK;
}
