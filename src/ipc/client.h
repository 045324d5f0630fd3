/* The asking end of a channel for a threaded process: many threads, one request outstanding each, one thread that reads.
 *
 * Every call has a deadline. When the peer is replaced, every call that waits ends with PEER_GONE at once. */
#ifndef ITL_IPC_CLIENT_H
#define ITL_IPC_CLIENT_H

#include "ipc/channel.h"

struct ipc_client;

/* Takes the descriptor. */
ERRFN ipc_client_new(int take_fd, enum ipc_channel_id id, struct ipc_client **out_client);
void ipc_client_free(struct ipc_client *client);
AUTO_DEFINE(ipc_client, struct ipc_client, ipc_client_free);

/* For the reading thread: the descriptor to poll for input, and what to do when there is some. pump never blocks. Errors: PEER_GONE when the
 * peer is gone, WIRE when it sent something malformed; every waiting call has then ended with PEER_GONE, and further calls do
 * so until ipc_client_reset with open set. reset(false) ends every waiting call and discards what
 * the dead peer left; reset(true) discards nothing, because the successor may have spoken. */
int ipc_client_fd(const struct ipc_client *client);
ERRFN ipc_client_pump(struct ipc_client *client);
ERRFN ipc_client_reset(struct ipc_client *client, bool open);

struct ipc_answer {
    struct buf *body;           /* owned; views of the decoded reply point into it */
    struct ipc_refusal refusal; /* when the call failed with an error of the server's */
};
void ipc_answer_clear(struct ipc_answer *answer);

/* Sends a request and waits for its reply. Errors: the server's own error (answer->refusal says more), TIMEOUT, PEER_GONE, WIRE. */
ERRFN ipc_client_call(struct ipc_client *client, enum ipc_type type, struct view body, uint32_t deadline_ms,
                      struct ipc_answer *out_answer);

/* The same with the structs of each message: ipc_call_<name>(client, request, deadline, answer, reply). */
#define M(channel, name, number, states)                                                           \
    ERRFN ipc_call_##name(struct ipc_client *client, const struct ipc_##name##_request *request,   \
                          uint32_t deadline_ms, struct ipc_answer *out_answer,                     \
                          struct ipc_##name##_reply *out_reply);
IPC_MESSAGES(M)
#undef M

#endif
