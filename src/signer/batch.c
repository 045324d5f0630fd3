#include "signer/batch.h"

#include "base/clock.h"
#include "base/log.h"
#include "signer/record.h"

#include <string.h>

enum { BATCH_MAX = 64 /* past it a longer batch no longer pays and requests only wait */ };

/* A request of the open batch, remembered in case the commit fails. */
struct pending {
    uint16_t type;
    uint32_t sequence;
};

static void clear_call(struct call *call)
{
    for (size_t i = 0; i < call->buffer_count; i++) {
        buf_free(call->buffers[i]);
    }
    call->buffer_count = 0;
}

static bool is_refusal(err_t e)
{
    switch (err_class(e)) {
    case ERR_CLASS_INPUT:
    case ERR_CLASS_DENIED:
    case ERR_CLASS_STATE:
    case ERR_CLASS_LIMIT:
        return true;
    case ERR_CLASS_NONE:
    case ERR_CLASS_DEVICE:
    case ERR_CLASS_IO:
    case ERR_CLASS_BUG:
        return false;
    }
    return false;
}

/* Decodes a request, runs its handler and encodes the reply. A body that does not decode is a violation, told apart by
 * *out_malformed. */
#define RUN_TLS(name)
#define RUN_JOBS(name)
#define RUN_CONTROL(name)
#define RUN_API(name)                                                                              \
    static err_t run_##name(struct call *call, struct view body, struct buf *out_reply, bool *out_malformed) \
    {                                                                                              \
        struct ipc_##name##_request request;                                                       \
        struct ipc_##name##_reply reply;                                                           \
        memset(&reply, 0, sizeof reply);                                                           \
        err_t decoded = ipc_get_##name##_request(body, &request);                                  \
        *out_malformed = !IS_OK(decoded);                                                          \
        TRY(decoded);                                                                              \
        TRY(view_to_text(request.source_ip, call->source_ip, sizeof call->source_ip));             \
        TRY(handle_##name(call, &request, &reply));                                                \
        return ipc_put_##name##_reply(out_reply, &reply);                                          \
    }
#define M(channel, name, number, states) RUN_##channel(name)
IPC_MESSAGES(M)
#undef M

#define CASE_TLS(name)
#define CASE_JOBS(name)
#define CASE_CONTROL(name)
#define CASE_API(name)                                                                             \
    case IPC_TYPE_##name:                                                                          \
        return run_##name(call, frame->body, out_reply, out_malformed);

static err_t run(struct call *call, const struct ipc_frame *frame, struct buf *out_reply, bool *out_malformed)
{
    switch ((enum ipc_type)frame->type) {
#define M(channel, name, number, states) CASE_##channel(name)
        IPC_MESSAGES(M)
#undef M
    default: /* the channel lets no other channel's messages through */
        *out_malformed = true;
        return E(WIRE_STATE);
    }
}

/* What remains of a request in the database once its handler has returned. */
static ERRFN settle(struct call *call, err_t result)
{
    struct db *db = call->signer->db;
    if (IS_OK(result)) {
        return db_release(db);
    }
    if (!is_refusal(result)) {
        return db_rollback_to(db);
    }
    TRY(call->keep ? db_release(db) : db_rollback_to(db));
    return record_refusal(call, result);
}

static void log_outcome(const struct call *call, err_t result)
{
    log_event(IS_OK(result) ? LOG_DEBUG : log_level_of(result), "request", LOG_TEXT("message", call->name),
              LOG_TEXT("machine_id", call->machine_id), LOG_TEXT("source_ip", call->source_ip), LOG_ERR(result));
}

/* Errors: only those that mean a compromised front. */
static ERRFN handle(struct signer *s, const struct ipc_frame *frame, struct buf *reply)
{
    struct call call = {.signer = s, .now_ms = clock_utc_ms(), .subject = "", .name = ipc_message_info(frame->type)->name};
    bool malformed = false;
    err_t result = db_savepoint(s->db);
    if (IS_OK(result)) {
        result = run(&call, frame, reply, &malformed);
        err_t settled = settle(&call, result);
        if (!IS_OK(settled)) {
            result = settled;
        }
    }
    err_t queued = malformed ? result
                   : IS_OK(result)
                       ? ipc_channel_reply(s->api, frame->type, frame->sequence, buf_view(reply))
                       : ipc_channel_refuse(s->api, frame->type, frame->sequence, result, call.subject, call.retry_after_s);
    log_outcome(&call, result);
    clear_call(&call);
    return queued;
}

static ERRFN check_allowed(const struct signer *s, const struct ipc_frame *frame)
{
    const struct ipc_message_info *info = ipc_message_info(frame->type);
    unsigned state = s->draining ? IPC_DRAIN : IPC_RUN;
    ENSURE(!frame->reply && (info->states & state) != 0, WIRE_STATE);
    return OK;
}

/* Handles up to BATCH_MAX requests. What came before a malformed one is answered all the same. */
static ERRFN handle_waiting(struct signer *s, struct pending *pending, size_t *out_count)
{
    AUTO(buf) reply = NULL;
    TRY(buf_new(4 * 1024 * 1024, &reply));
    s->batch_full = false;
    for (*out_count = 0; *out_count < BATCH_MAX; (*out_count)++) {
        bool found;
        struct ipc_frame frame;
        TRY(ipc_channel_next(s->api, &found, &frame));
        if (!found) {
            return OK;
        }
        TRY(check_allowed(s, &frame));
        pending[*out_count] = (struct pending){frame.type, frame.sequence};
        buf_truncate(reply, 0);
        TRY(handle(s, &frame, reply));
    }
    s->batch_full = true;
    return OK;
}

/* Nothing that the queued replies say has happened: take them back and say so. */
static ERRFN refuse_batch(struct signer *s, size_t mark, const struct pending *pending, size_t count, err_t why)
{
    ipc_channel_drop_after(s->api, mark);
    for (size_t i = 0; i < count; i++) {
        TRY(ipc_channel_refuse(s->api, pending[i].type, pending[i].sequence, why, "", 5));
    }
    return OK;
}

ERRFN batch_run(struct signer *s)
{
    struct pending pending[BATCH_MAX];
    size_t count = 0;
    if (!s->batch_full) {
        TRY(ipc_channel_receive(s->api));
    }
    size_t mark = ipc_channel_mark(s->api);
    err_t begun = db_begin(s->db);
    err_t handled = handle_waiting(s, pending, &count);
    err_t committed = IS_OK(begun) ? db_commit(s->db) : begun;
    s->batches++;
    s->batched_requests += count;
    s->largest_batch = count > s->largest_batch ? count : s->largest_batch;
    if (!IS_OK(committed)) {
        log_event(LOG_ERROR, "batch.lost", LOG_NUMBER("requests", count), LOG_ERR(committed));
        TRY(refuse_batch(s, mark, pending, count, committed));
    }
    TRY(ipc_channel_flush(s->api));
    return handled;
}

bool batch_waits(const struct signer *s)
{
    return s->batch_full && !s->api_dead;
}
