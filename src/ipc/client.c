#include "ipc/client.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALLS_MAX = 256 /* as many as a front ever has workers */, FLUSH_WAIT_MS = 100 };

/* A thread that waits for its reply. */
struct call {
    bool in_use;
    bool done;
    uint32_t sequence;
    uint16_t type;
    err_t status;
    struct buf *body;
    pthread_cond_t arrived;
};

struct ipc_client {
    pthread_mutex_t lock; /* guards everything below */
    struct ipc_channel *channel;
    bool dead;
    struct call calls[CALLS_MAX];
};

static ERRFN init_locks(struct ipc_client *client)
{
    pthread_condattr_t attributes;
    ENSURE(pthread_condattr_init(&attributes) == 0, NO_MEMORY);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool ready = pthread_mutex_init(&client->lock, NULL) == 0;
    for (size_t i = 0; i < CALLS_MAX; i++) {
        ready = pthread_cond_init(&client->calls[i].arrived, &attributes) == 0 && ready;
    }
    pthread_condattr_destroy(&attributes);
    ENSURE(ready, NO_MEMORY);
    return OK;
}

ERRFN ipc_client_new(int take_fd, enum ipc_channel_id id, struct ipc_client **out_client)
{
    AUTO(ipc_channel) channel = NULL;
    TRY(ipc_channel_new(take_fd, id, &channel));
    struct ipc_client *client = calloc(1, sizeof *client);
    ENSURE(client, NO_MEMORY);
    err_t ready = init_locks(client);
    if (!IS_OK(ready)) {
        free(client);
        return ready;
    }
    client->channel = STEAL(channel);
    *out_client = client;
    return OK;
}

void ipc_client_free(struct ipc_client *client)
{
    if (!client) {
        return;
    }
    for (size_t i = 0; i < CALLS_MAX; i++) {
        buf_free(client->calls[i].body);
        pthread_cond_destroy(&client->calls[i].arrived);
    }
    pthread_mutex_destroy(&client->lock);
    ipc_channel_free(client->channel);
    free(client);
}

int ipc_client_fd(const struct ipc_client *client)
{
    return ipc_channel_fd(client->channel);
}

void ipc_answer_clear(struct ipc_answer *answer)
{
    buf_free(answer->body);
    memset(answer, 0, sizeof *answer);
}

static void finish(struct call *call, err_t status)
{
    call->status = status;
    call->done = true;
    pthread_cond_signal(&call->arrived);
}

static void end_all_calls(struct ipc_client *client)
{
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (client->calls[i].in_use && !client->calls[i].done) {
            finish(&client->calls[i], E(PEER_GONE));
        }
    }
}

/* A reply that nobody waits for belongs to a call whose deadline has passed. */
static ERRFN deliver(struct ipc_client *client, const struct ipc_frame *frame)
{
    ENSURE(frame->reply, WIRE);
    for (size_t i = 0; i < CALLS_MAX; i++) {
        struct call *call = &client->calls[i];
        if (!call->in_use || call->done || call->sequence != frame->sequence) {
            continue;
        }
        ENSURE(call->type == frame->type, WIRE);
        err_t copied = buf_copy(frame->body, &call->body);
        finish(call, IS_OK(copied) ? frame->status : copied);
        return OK;
    }
    return OK;
}

static ERRFN pump_locked(struct ipc_client *client)
{
    TRY(ipc_channel_receive(client->channel));
    for (;;) {
        bool found;
        struct ipc_frame frame;
        TRY(ipc_channel_next(client->channel, &found, &frame));
        if (!found) {
            return OK;
        }
        TRY(deliver(client, &frame));
    }
}

ERRFN ipc_client_pump(struct ipc_client *client)
{
    pthread_mutex_lock(&client->lock);
    err_t pumped = client->dead ? E(PEER_GONE) : pump_locked(client);
    if (!IS_OK(pumped) && !client->dead) {
        client->dead = true;
        end_all_calls(client);
    }
    pthread_mutex_unlock(&client->lock);
    return pumped;
}

ERRFN ipc_client_reset(struct ipc_client *client, bool open)
{
    pthread_mutex_lock(&client->lock);
    err_t reset = OK;
    if (!open) {
        end_all_calls(client);
        reset = ipc_channel_reset(client->channel);
    }
    client->dead = !open || !IS_OK(reset);
    pthread_mutex_unlock(&client->lock);
    return reset;
}

static struct call *free_call(struct ipc_client *client)
{
    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (!client->calls[i].in_use) {
            return &client->calls[i];
        }
    }
    return NULL;
}

/* Sends everything queued. The socket takes more within microseconds unless the peer hangs, so waiting with the lock held is short. */
static ERRFN flush_locked(struct ipc_client *client, uint64_t deadline)
{
    for (;;) {
        TRY(ipc_channel_flush(client->channel));
        if (!ipc_channel_has_unsent(client->channel)) {
            return OK;
        }
        ENSURE(clock_monotonic_ms() < deadline, TIMEOUT);
        struct pollfd writable = {.fd = ipc_channel_fd(client->channel), .events = POLLOUT};
        poll(&writable, 1, FLUSH_WAIT_MS);
    }
}

static err_t wait_for_reply(struct ipc_client *client, struct call *call, uint64_t deadline)
{
    struct timespec until = {.tv_sec = (time_t)(deadline / 1000), .tv_nsec = (long)(deadline % 1000) * 1000000};
    while (!call->done) {
        int waited = pthread_cond_timedwait(&call->arrived, &client->lock, &until);
        if (waited == ETIMEDOUT && !call->done) {
            return E(TIMEOUT);
        }
    }
    return call->status;
}

static err_t call_locked(struct ipc_client *client, struct call *call, struct view body, uint64_t deadline)
{
    TRY(ipc_channel_request(client->channel, (enum ipc_type)call->type, body, &call->sequence));
    err_t sent = flush_locked(client, deadline);
    if (!IS_OK(sent)) {
        /* Half a frame may be out; nothing sensible can follow it. */
        client->dead = true;
        end_all_calls(client);
        return sent;
    }
    return wait_for_reply(client, call, deadline);
}

ERRFN ipc_client_call(struct ipc_client *client, enum ipc_type type, struct view body, uint32_t deadline_ms,
                      struct ipc_answer *out_answer)
{
    memset(out_answer, 0, sizeof *out_answer);
    uint64_t deadline = clock_monotonic_ms() + deadline_ms;
    pthread_mutex_lock(&client->lock);
    struct call *call = free_call(client);
    if (client->dead || !call) {
        err_t why = client->dead ? E(PEER_GONE) : E(BUSY);
        pthread_mutex_unlock(&client->lock);
        return why;
    }
    call->in_use = true;
    call->done = false;
    call->type = (uint16_t)type;
    call->sequence = 0;
    call->body = NULL;
    err_t status = call_locked(client, call, body, deadline);
    out_answer->body = STEAL(call->body);
    call->in_use = false;
    pthread_mutex_unlock(&client->lock);
    if (!IS_OK(status) && out_answer->body) {
        TRY(ipc_get_refusal(buf_view(out_answer->body), &out_answer->refusal));
    }
    return status;
}

#define M(channel_, name, number, states)                                                          \
    ERRFN ipc_call_##name(struct ipc_client *client, const struct ipc_##name##_request *request,   \
                          uint32_t deadline_ms, struct ipc_answer *out_answer,                     \
                          struct ipc_##name##_reply *out_reply)                                    \
    {                                                                                              \
        memset(out_answer, 0, sizeof *out_answer);                                                 \
        AUTO(buf) body = NULL;                                                                     \
        TRY(buf_new(ipc_message_info(IPC_TYPE_##name)->request_max, &body));                       \
        TRY(ipc_put_##name##_request(body, request));                                              \
        TRY(ipc_client_call(client, IPC_TYPE_##name, buf_view(body), deadline_ms, out_answer));    \
        return ipc_get_##name##_reply(buf_view(out_answer->body), out_reply);                      \
    }
IPC_MESSAGES(M)
#undef M
