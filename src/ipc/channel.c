#include "ipc/channel.h"

#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    READ_CHUNK_BYTES = 65536,
    IN_MAX_BYTES = 4 * 1024 * 1024,  /* a few of the largest messages; the rest waits in the socket */
    OUT_MAX_BYTES = 16 * 1024 * 1024 /* a peer that lets this much lie unread is not reading */
};

struct ipc_channel {
    int fd;
    enum ipc_channel_id id;
    struct buf *in;
    size_t in_used; /* bytes of `in` that earlier frames occupied */
    struct buf *out;
    uint32_t last_in;  /* sequence of the last request received */
    uint32_t last_out; /* sequence of the last request sent */
};

ERRFN ipc_channel_new(int take_fd, enum ipc_channel_id id, struct ipc_channel **out_channel)
{
    AUTO(fd) fd = take_fd;
    AUTO(ipc_channel) ch = calloc(1, sizeof *ch);
    ENSURE(ch, NO_MEMORY);
    ch->fd = FD_NONE;
    ch->id = id;
    TRY(fd_set_nonblocking(fd, true));
    TRY(buf_new(IN_MAX_BYTES, &ch->in));
    TRY(buf_new(OUT_MAX_BYTES, &ch->out));
    ch->fd = fd_steal(&fd);
    *out_channel = STEAL(ch);
    return OK;
}

void ipc_channel_free(struct ipc_channel *ch)
{
    if (!ch) {
        return;
    }
    if (ch->fd >= 0) {
        close(ch->fd);
    }
    buf_free(ch->in);
    buf_free(ch->out);
    free(ch);
}

int ipc_channel_fd(const struct ipc_channel *ch)
{
    return ch->fd;
}

enum ipc_channel_id ipc_channel_id(const struct ipc_channel *ch)
{
    return ch->id;
}

/* One read. recvmsg without room for control data, because only so the kernel says that it dropped a descriptor. */
static ERRFN receive_chunk(struct ipc_channel *ch, bool *out_more)
{
    *out_more = false;
    size_t room = ch->in->max - ch->in->len;
    if (room == 0) {
        return OK;
    }
    size_t want = room < READ_CHUNK_BYTES ? room : READ_CHUNK_BYTES;
    size_t before = ch->in->len;
    uint8_t *at;
    TRY(buf_extend(ch->in, want, &at));
    struct iovec iov = {.iov_base = at, .iov_len = want};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t got = recvmsg(ch->fd, &msg, MSG_DONTWAIT);
    int error = errno;
    buf_truncate(ch->in, got > 0 ? before + (size_t)got : before);
    if (got < 0 && (error == EAGAIN || error == EINTR)) {
        *out_more = error == EINTR;
        return OK;
    }
    ENSURE(got >= 0, PEER_GONE);
    ENSURE((msg.msg_flags & MSG_CTRUNC) == 0, WIRE);
    ENSURE(got > 0, PEER_GONE);
    *out_more = (size_t)got == want;
    return OK;
}

ERRFN ipc_channel_receive(struct ipc_channel *ch)
{
    buf_consume(ch->in, ch->in_used);
    ch->in_used = 0;
    bool more = true;
    while (more) {
        TRY(receive_chunk(ch, &more));
    }
    return OK;
}

static ERRFN check_header(struct ipc_channel *ch, const struct ipc_frame *frame, uint32_t protocol, uint32_t len)
{
    ENSURE(protocol == IPC_PROTOCOL, WIRE);
    const struct ipc_message_info *info = ipc_message_info(frame->type);
    ENSURE(info && info->channel == ch->id, WIRE);
    if (frame->reply) {
        size_t refusal_max = 2 + 128 + 4;
        ENSURE(len <= (IS_OK(frame->status) ? info->reply_max : refusal_max), WIRE);
        ENSURE(frame->sequence != 0 && frame->sequence <= ch->last_out, WIRE);
        return OK;
    }
    ENSURE(IS_OK(frame->status) && len <= info->request_max, WIRE);
    ENSURE(frame->sequence == ch->last_in + 1, WIRE);
    return OK;
}

ERRFN ipc_channel_next(struct ipc_channel *ch, bool *out_found, struct ipc_frame *out_frame)
{
    *out_found = false;
    struct view rest = view_of(ch->in->data + ch->in_used, ch->in->len - ch->in_used);
    if (rest.len < IPC_HEADER_BYTES) {
        return OK;
    }
    struct ipc_frame frame = {0};
    uint32_t protocol;
    uint32_t len;
    uint16_t type;
    TRY(view_get_u32(&rest, &protocol, E(WIRE)));
    TRY(view_get_u16(&rest, &type, E(WIRE)));
    TRY(view_get_u16(&rest, &frame.status.code, E(WIRE)));
    TRY(view_get_u32(&rest, &frame.sequence, E(WIRE)));
    TRY(view_get_u32(&rest, &len, E(WIRE)));
    frame.reply = (type & IPC_REPLY_BIT) != 0;
    frame.type = type & (uint16_t)~IPC_REPLY_BIT;
    ENSURE(frame.status.code < ERR_CODE_COUNT, WIRE);
    /* Checked before the body is there, so that a huge length is refused at once. */
    TRY(check_header(ch, &frame, protocol, len));
    if (rest.len < len) {
        return OK;
    }
    TRY(view_get_bytes(&rest, len, &frame.body, E(WIRE)));
    ch->in_used += IPC_HEADER_BYTES + len;
    if (!frame.reply) {
        ch->last_in = frame.sequence;
    }
    *out_frame = frame;
    *out_found = true;
    return OK;
}

static ERRFN queue(struct ipc_channel *ch, uint16_t type, err_t status, uint32_t sequence, struct view body)
{
    size_t room = ch->out->max - ch->out->len;
    ENSURE(room >= IPC_HEADER_BYTES && body.len <= room - IPC_HEADER_BYTES, BUSY);
    size_t before = ch->out->len;
    TRY(buf_put_u32(ch->out, IPC_PROTOCOL));
    TRY(buf_put_u16(ch->out, type));
    TRY(buf_put_u16(ch->out, status.code));
    TRY(buf_put_u32(ch->out, sequence));
    TRY(buf_put_u32(ch->out, (uint32_t)body.len));
    err_t put = buf_put(ch->out, body);
    if (!IS_OK(put)) {
        buf_truncate(ch->out, before);
    }
    return put;
}

ERRFN ipc_channel_request(struct ipc_channel *ch, enum ipc_type type, struct view body, uint32_t *out_sequence)
{
    const struct ipc_message_info *info = ipc_message_info((uint16_t)type);
    ENSURE(info && info->channel == ch->id && body.len <= info->request_max, WIRE);
    TRY(queue(ch, (uint16_t)type, OK, ch->last_out + 1, body));
    *out_sequence = ++ch->last_out;
    return OK;
}

ERRFN ipc_channel_reply(struct ipc_channel *ch, uint16_t type, uint32_t sequence, struct view body)
{
    const struct ipc_message_info *info = ipc_message_info(type);
    ENSURE(info && body.len <= info->reply_max, WIRE);
    return queue(ch, type | IPC_REPLY_BIT, OK, sequence, body);
}

ERRFN ipc_channel_refuse(struct ipc_channel *ch, uint16_t type, uint32_t sequence, err_t why, const char *subject,
                         uint32_t retry_after_s)
{
    struct ipc_refusal refusal = {.subject = view_text(subject), .retry_after_s = retry_after_s};
    AUTO(buf) body = NULL;
    TRY(buf_new(256, &body));
    TRY(ipc_put_refusal(body, &refusal));
    return queue(ch, type | IPC_REPLY_BIT, IS_OK(why) ? E(BUG) : why, sequence, buf_view(body));
}

ERRFN ipc_channel_flush(struct ipc_channel *ch)
{
    size_t sent = 0;
    err_t result = OK;
    while (sent < ch->out->len) {
        ssize_t put = send(ch->fd, ch->out->data + sent, ch->out->len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            result = errno == EAGAIN ? OK : E(PEER_GONE);
            break;
        }
        sent += (size_t)put;
    }
    buf_consume(ch->out, sent);
    return result;
}

bool ipc_channel_has_unsent(const struct ipc_channel *ch)
{
    return ch->out->len > 0;
}

size_t ipc_channel_mark(const struct ipc_channel *ch)
{
    return ch->out->len;
}

void ipc_channel_drop_after(struct ipc_channel *ch, size_t mark)
{
    buf_truncate(ch->out, mark);
}

/* Reads and drops what the dead peer left. */
static ERRFN discard_input(struct ipc_channel *ch)
{
    uint8_t chunk[4096];
    for (;;) {
        ssize_t got = recv(ch->fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            return OK;
        }
        ENSURE(got > 0, PEER_GONE);
    }
}

ERRFN ipc_channel_reset(struct ipc_channel *ch)
{
    buf_truncate(ch->in, 0);
    buf_truncate(ch->out, 0);
    ch->in_used = 0;
    ch->last_in = 0;
    ch->last_out = 0;
    return discard_input(ch);
}
