/* The children and how they are joined: the table is the architecture. */
#ifndef ITL_SUPERVISOR_CHILD_H
#define ITL_SUPERVISOR_CHILD_H

#include "base/fd.h"
#include "ipc/channel.h"
#include "sandbox/sandbox.h"

#include <sys/types.h>

/* In the order in which they start. A process only depends on those before it. */
enum child_kind {
    CHILD_MODULE_CA = 0, /* p11-kit server with the CA token's module; only with hsm.isolation: process */
    CHILD_MODULE_TLS,
    CHILD_COURIER,
    CHILD_KEYHOLDER,
    CHILD_SIGNER,
    CHILD_FRONT,
    CHILD_COUNT
};

enum child_state {
    CHILD_ABSENT = 0, /* not part of this configuration */
    CHILD_DOWN,       /* not running; started when restart_at has come and its peers have let go of the channels */
    CHILD_STARTING,
    CHILD_RUNNING,
    CHILD_STOPPING
};

/* A channel between two children. The supervisor keeps both ends, so that a successor can be given its end. */
struct link {
    enum ipc_channel_id channel;
    enum child_kind client;
    enum child_kind server;
    int client_fd; /* number in the client */
    int server_fd; /* number in the server */
    int ends[2];   /* ours: client's, server's */
    bool closed;          /* the survivor was told to let go, and not yet to go on */
    unsigned closing;     /* resets sent to the survivor and not yet answered */
    uint64_t close_by_ms; /* monotonic: answered by then, or the survivor is stuck */
};

enum { LINK_COUNT = 3, CHILD_FDS_MAX = 8, CHILD_ENVIRONMENT_MAX = 12 };

struct child {
    enum child_kind kind;
    const char *name;
    enum child_state state;
    pid_t pid;
    struct ipc_channel *control; /* NULL for a module server */
    uint64_t started_at_ms;      /* monotonic */
    uint64_t restart_at_ms;
    unsigned failures;           /* in a row; sets the back-off */
    uint32_t setup_sequence;
    bool was_ready;              /* once in its life: a later death is restarted, an earlier one ends the appliance */
    struct sandbox_account account;
    uint64_t profile;

    /* One answer that the console waits for. */
    uint32_t awaited;
    bool answered;
    err_t answer_status;
    struct buf *answer;
};

const char *child_name(enum child_kind kind);

#endif
