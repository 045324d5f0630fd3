/* Plays the signer for the front's tests: canned answers by the real codec over the real
 * channel. */
#ifndef ITL_TESTS_FRONT_STUB_SIGNER_H
#define ITL_TESTS_FRONT_STUB_SIGNER_H

#include "ipc/channel.h"

struct stub {
    bool mute; /* takes requests and never answers */
    struct ipc_ready_reply ready;
};

/* The CA whose certificates clients are asked for; the bytes stay the caller's. */
void stub_client_ca(struct view der);

/* Answers one request on the channel. What a test wants is said in the request: a hw_serial or
 * token by name. */
ERRFN stub_answer(struct stub *stub, struct ipc_channel *channel, const struct ipc_frame *frame);

#endif
