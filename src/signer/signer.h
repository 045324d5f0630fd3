/* The signer: the only process that decides. One context, one thread, one database; a request is a call.
 *
 * A call runs under a savepoint. What a handler returns decides what remains of it:
 *   OK                        everything it wrote
 *   a refusal, nothing kept   nothing; the refusal itself is audited
 *   a refusal, call->keep     what it wrote before (a nonce or session taken can't be used again), and the refusal
 *   a failure (IO, BUG…)      nothing; nothing is audited, the caller is told to try again */
#ifndef ITL_SIGNER_SIGNER_H
#define ITL_SIGNER_SIGNER_H

#include "base/bytes.h"
#include "hsm/hsm.h"
#include "hsm/provider.h"
#include "ipc/channel.h"
#include "pki/ca.h"
#include "policy/policy.h"
#include "process/process.h"
#include "signer/settings.h"
#include "signer/tls_anchor.h"
#include "sql/machines.h"
#include "tpm/pcr.h"
#include "tpm/trust.h"

struct signer {
    struct process *process;
    struct signer_settings settings;
    struct db *db;
    struct hsm *hsm;
    struct hsm_provider *provider;
    EVP_PKEY *audit_key; /* in the token */
    EVP_PKEY *ca_key;    /* in the token */
    struct ca *ca;
    struct tls_anchors tls_anchors;
    struct trust *appliance_trust;  /* of appliance.yaml */
    struct trust *trust;            /* with what the policy in force adds to it, or has in its place */
    struct policy *policy;          /* in force (in_force.h) */
    uint64_t policy_number;         /* its number in the store; 0 for one of appliance.yaml */
    struct pcr_selection selection; /* what it wants quoted */
    bool policy_reads_log;          /* its verdict depends on the event log */
    bool policy_changed;            /* another was activated in this batch */
    struct ipc_channel *api;
    struct ipc_channel *jobs;
    bool api_dead;  /* a violation was seen; waits for the reset */
    bool jobs_dead;
    bool batch_full; /* the last batch stopped at its bound */
    uint64_t batches;         /* since the start, for the closing log line */
    uint64_t batched_requests;
    uint64_t largest_batch;
    bool draining;
    uint64_t head_signed_at_ms;   /* monotonic */
    uint64_t head_signed_seq;
    uint64_t expired_at_ms;       /* monotonic; when old rows were last removed */
    uint64_t ping_sent_at_ms;     /* monotonic, 0 before the first */
    uint64_t ping_answered_at_ms;
    uint64_t refusal_tokens;      /* thousandths of an audit row that refusals may still use */
    uint64_t refusal_refilled_at_ms;
    uint64_t refusals_suppressed;
};

enum { CALL_BUFFERS_MAX = 16 };

/* One request while it is handled. */
struct call {
    struct signer *signer;
    uint64_t now_ms; /* UTC */
    char source_ip[IPC_ADDRESS_MAX + 1];
    const char *name; /* of the message: "attest" */

    /* What the audit row of a refusal says, filled in as it becomes known. */
    char actor[129];
    char machine_id[MACHINE_ID_SIZE];
    char ek_fingerprint[MACHINE_EK_SIZE];
    char endpoint[65]; /* where the front itself refused */

    bool keep;              /* see above */
    const char *subject;    /* the field at fault; static text */
    uint32_t retry_after_s;
    struct buf *buffers[CALL_BUFFERS_MAX]; /* what the reply's views point into */
    size_t buffer_count;
};

/* A buffer that lives until the reply is encoded. */
ERRFN call_buffer(struct call *call, size_t max, struct buf **out_buf);

/* Text for a reply: a copy that lives as long. */
ERRFN call_text(struct call *call, const char *text, struct view *out_view);

/* Refuses, naming the field: `return call_refuse(call, E(FIELD_INVALID), "body.hostname")`. */
err_t call_refuse(struct call *call, err_t why, const char *subject);

/* One handler per message of the API channel, declared from the table: a missing one does not link. */
#define HANDLER_TLS(name)
#define HANDLER_JOBS(name)
#define HANDLER_CONTROL(name)
#define HANDLER_API(name)                                                                          \
    ERRFN handle_##name(struct call *call, const struct ipc_##name##_request *request,             \
                        struct ipc_##name##_reply *out_reply);
#define M(channel, name, number, states) HANDLER_##channel(name)
IPC_MESSAGES(M)
#undef M

#endif
