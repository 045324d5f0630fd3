/* The keyholder's work after its start: the tls and control channels. */
#ifndef ITL_KEYHOLDER_SERVE_H
#define ITL_KEYHOLDER_SERVE_H

#include "keyholder/sign.h"
#include "process/process.h"

struct keyholder {
    struct process *process;
    struct ipc_channel *tls;
    bool open; /* the channel has a peer */
    bool drained;
    struct hsm *hsm;
    struct signing_key key;
    uint64_t second; /* of the monotonic clock, that the two below count for */
    unsigned signed_in_second;
    unsigned refused_in_second;
};

/* Until the supervisor says to stop (success) or is gone (PEER_GONE). */
ERRFN serve(struct keyholder *k);

#endif
