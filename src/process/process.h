/* What every child of the supervisor does in the same way: take its settings, say that it is sealed and ready, obey the control channel,
 * and go when the supervisor goes. */
#ifndef ITL_PROCESS_PROCESS_H
#define ITL_PROCESS_PROCESS_H

#include "base/secret.h"
#include "ipc/channel.h"

/* Descriptors a child is started with. 0 is /dev/null, 1 and 2 take log lines. */
enum process_fd {
    PROCESS_FD_CONTROL = 3,
    PROCESS_FD_TLS_FRONT = 4,      /* front: tls channel */
    PROCESS_FD_API_FRONT = 5,      /* front: api channel */
    PROCESS_FD_LISTEN = 6,         /* front: the listening socket */
    PROCESS_FD_TLS_KEYHOLDER = 4,  /* keyholder: tls channel */
    PROCESS_FD_API_SIGNER = 4,     /* signer: api channel */
    PROCESS_FD_JOBS_SIGNER = 5,    /* signer: jobs channel */
    PROCESS_FD_JOBS_COURIER = 4    /* courier: jobs channel */
};

struct process;

/* First call of a child's main: sets up libsodium, the log and the control channel and waits for the settings. Errors: TIMEOUT,
 * PEER_GONE, WIRE. */
ERRFN process_begin(const char *name, struct process **out_process);

/* The settings as ipc/settings.h reads them, and the TLS chain (front, signer). Valid until process_ready. */
struct view process_settings(const struct process *p);
struct view process_chain(const struct process *p);

/* Changes to the account that the supervisor chose and gives up every capability. Errors: those of sandbox_drop. */
ERRFN process_drop(const struct process *p);

/* Moves the PIN into guarded memory and wipes where it was. */
ERRFN process_take_pin(struct process *p, struct secret **out_pin);

/* Tells the supervisor that the process is sealed, under a profile with this hash, and wipes the settings. */
ERRFN process_ready(struct process *p, uint64_t profile_hash);

/* Ends the process before it was ready: logs, tells the supervisor why (`subject` names the setting, file or key at fault) and
 * exits. */
_Noreturn void process_fail(struct process *p, err_t why, const char *subject);

/* Ends the process: no exit handlers, because PKCS#11 modules crash in theirs. */
_Noreturn void process_exit(int status);

/* For poll. */
int process_control_fd(const struct process *p);

struct process_control {
    void *context;
    /* The peer on this channel is gone (open false: ipc_channel_reset) or its successor may be talked to (open true: discard nothing, it
     * may have spoken). */
    ERRFN (*reset)(void *context, enum ipc_channel_id channel, bool open);
    /* Begin to stop; the process exits by itself within the deadline. */
    void (*drain)(void *context, uint32_t deadline_ms);
    /* Any other control message; appends the encoded reply to out_reply. NULL where a process has none. */
    ERRFN (*other)(void *context, const struct ipc_frame *request, struct buf *out_reply);
};

/* Handles what has come on the control channel. Never blocks. Errors: PEER_GONE when the supervisor is gone: exit then. */
ERRFN process_obey(struct process *p, const struct process_control *control);

/* Asks the supervisor to replace the peer on a channel, because it sent something malformed. */
void process_report_violation(struct process *p, enum ipc_channel_id channel, err_t reason);

#endif
