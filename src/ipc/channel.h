/* One end of a socketpair between two processes: frames in, frames out, nothing else.
 *
 * A frame is a 16-byte header and a body, big-endian:
 *   u32 protocol   first four bytes of the SHA-256 of messages.def
 *   u16 type       number of the message; the top bit marks a reply
 *   u16 status     0 in requests; in replies an err_code, and then the body is a refusal (messages.def)
 *   u32 sequence   counts a channel's requests from 1; a reply carries its request's number
 *   u32 length     of the body; never more than messages.def allows for the type
 *
 * Anything else is a violation (WIRE, WIRE_STATE): the peer is taken for compromised, the channel is dead from then on and the
 * supervisor replaces the peer. Descriptors are never received: the kernel drops what a peer attaches, and its doing so is a
 * violation too. */
#ifndef ITL_IPC_CHANNEL_H
#define ITL_IPC_CHANNEL_H

#include "ipc/messages.h"

enum { IPC_HEADER_BYTES = 16, IPC_REPLY_BIT = 0x8000 };

struct ipc_channel;

struct ipc_frame {
    uint16_t type; /* without the reply bit */
    bool reply;
    err_t status;
    uint32_t sequence;
    struct view body; /* valid until the next ipc_channel_receive */
};

/* The channel takes `take_fd` and makes it non-blocking. */
ERRFN ipc_channel_new(int take_fd, enum ipc_channel_id id, struct ipc_channel **out_channel);
void ipc_channel_free(struct ipc_channel *ch);
AUTO_DEFINE(ipc_channel, struct ipc_channel, ipc_channel_free);

int ipc_channel_fd(const struct ipc_channel *ch);
enum ipc_channel_id ipc_channel_id(const struct ipc_channel *ch);

/* Reads what has come, up to a bound. Errors: PEER_GONE at end of file, WIRE for an attached descriptor. Never blocks. */
ERRFN ipc_channel_receive(struct ipc_channel *ch);

/* Takes the next whole frame, if there is one. Requests must be in sequence. Errors: WIRE. */
ERRFN ipc_channel_next(struct ipc_channel *ch, bool *out_found, struct ipc_frame *out_frame);

/* Queue a frame; nothing is sent before ipc_channel_flush. Errors: BUSY when the peer has not read for so long that the bound on unsent
 * bytes is reached, WIRE when the body is longer than its type allows. */
ERRFN ipc_channel_request(struct ipc_channel *ch, enum ipc_type type, struct view body, uint32_t *out_sequence);
ERRFN ipc_channel_reply(struct ipc_channel *ch, uint16_t type, uint32_t sequence, struct view body);
ERRFN ipc_channel_refuse(struct ipc_channel *ch, uint16_t type, uint32_t sequence, err_t why, const char *subject,
                         uint32_t retry_after_s);

/* Sends what is queued, as far as the socket takes it. Never blocks. Errors: PEER_GONE. */
ERRFN ipc_channel_flush(struct ipc_channel *ch);
bool ipc_channel_has_unsent(const struct ipc_channel *ch);

/* Drops what was queued after a mark; used when the work that the replies speak of did not commit. */
size_t ipc_channel_mark(const struct ipc_channel *ch);
void ipc_channel_drop_after(struct ipc_channel *ch, size_t mark);

/* Forgets everything in both directions and starts counting anew, after the peer has been replaced. */
ERRFN ipc_channel_reset(struct ipc_channel *ch);

#endif
