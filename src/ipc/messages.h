/* What messages.def describes, as C: struct ipc_<name>_request and _reply, struct ipc_<name>_record, and for each a put and a get.
 *
 * A put appends the encoding to a buffer; it fails with WIRE when a field breaks its own limit, so a bug of ours stays on our side.
 * A get decodes a whole body: every limit is checked, every byte must be used, and views point into the body. It fails with WIRE. */
#ifndef ITL_IPC_MESSAGES_H
#define ITL_IPC_MESSAGES_H

#include "base/bytes.h"
#include "ipc/messages.def"

enum ipc_channel_id { IPC_CHANNEL_TLS = 0, IPC_CHANNEL_API, IPC_CHANNEL_JOBS, IPC_CHANNEL_CONTROL };

/* States of a server in which a message may come. */
enum ipc_state { IPC_SETUP = 1, IPC_RUN = 2, IPC_DRAIN = 4 };

/* attest's advice to the node. */
enum ipc_action {
    IPC_ACTION_NONE = 1,
    IPC_ACTION_APPLY_CONFIG,
    IPC_ACTION_LOCK,
    IPC_ACTION_WIPE
};

enum ipc_document { IPC_DOCUMENT_CA = 1, IPC_DOCUMENT_CRL, IPC_DOCUMENT_BUNDLE };

enum ipc_verdict { IPC_VERDICT_NOT_EVALUATED = 1, IPC_VERDICT_PASS, IPC_VERDICT_FAIL, IPC_VERDICT_TELEMETRY };

/* Whether an attestation needs the event log. */
enum ipc_event_log {
    IPC_EVENT_LOG_OPTIONAL = 1,
    IPC_EVENT_LOG_REQUIRED,
    IPC_EVENT_LOG_KNOWN /* the log with the digest given need not be sent again */
};

/* What evidence opens; bits. Kept with the machine: never renumber. */
enum ipc_gate { IPC_GATE_CONFIG = 1, IPC_GATE_CERTIFICATES = 2, IPC_GATE_SECRETS = 4 };

/* Which stored policy: by number, or by its place in the history. */
enum ipc_policy_which { IPC_POLICY_NUMBER = 1, IPC_POLICY_ACTIVE, IPC_POLICY_PREVIOUS };

/* One of the three answers: does the chain hold, does the log replay, does policy accept. */
enum ipc_outcome { IPC_OUTCOME_NOT_EVALUATED = 1, IPC_OUTCOME_PASS, IPC_OUTCOME_FAIL };

enum ipc_type {
    IPC_TYPE_NONE = 0,
#define M(channel, name, number, states) IPC_TYPE_##name = (number),
    IPC_MESSAGES(M)
#undef M
};

#define IPC_MEMBER(kind, name, limit)       IPC_MEMBER_##kind(name, limit)
#define IPC_MEMBER_U8(name, limit)          uint8_t name;
#define IPC_MEMBER_U16(name, limit)         uint16_t name;
#define IPC_MEMBER_U32(name, limit)         uint32_t name;
#define IPC_MEMBER_U64(name, limit)         uint64_t name;
#define IPC_MEMBER_FIXED(name, limit)       uint8_t name[limit];
#define IPC_MEMBER_BLOB(name, limit)        struct view name;
#define IPC_MEMBER_TEXT(name, limit)        struct view name;
#define IPC_MEMBER_LIST(name, record)       struct ipc_list name;

/* Encoded rows. Build with ipc_list_add_<record> on a buffer of the caller's, read with ipc_list_next_<record>. */
struct ipc_list {
    uint16_t count;
    struct view rows;
};

#define R(name, rows_max)                                                                             \
    struct ipc_##name##_record {                                                                   \
        RECORD_##name(IPC_MEMBER)                                                                  \
    };                                                                                             \
    enum { IPC_ROWS_MAX_##name = (rows_max) };                                                         \
    /* Appends a row to `storage`, which must outlive the list. Errors: TOO_LONG past the row limit, WIRE. */ \
    ERRFN ipc_list_add_##name(struct ipc_list *list, struct buf *storage,                          \
                              const struct ipc_##name##_record *row);                              \
    /* Takes the next row; false at the end. A list that came out of a get is known to be well-formed. */ \
    bool ipc_list_next_##name(struct ipc_list *list, struct ipc_##name##_record *out_row);
IPC_RECORDS(R)
#undef R

#define M(channel, name, number, states)                                                           \
    struct ipc_##name##_request {                                                                  \
        REQUEST_##name(IPC_MEMBER)                                                                 \
    };                                                                                             \
    struct ipc_##name##_reply {                                                                    \
        REPLY_##name(IPC_MEMBER)                                                                   \
    };                                                                                             \
    ERRFN ipc_put_##name##_request(struct buf *out, const struct ipc_##name##_request *m);         \
    ERRFN ipc_put_##name##_reply(struct buf *out, const struct ipc_##name##_reply *m);             \
    ERRFN ipc_get_##name##_request(struct view body, struct ipc_##name##_request *out_message);    \
    ERRFN ipc_get_##name##_reply(struct view body, struct ipc_##name##_reply *out_message);
IPC_MESSAGES(M)
#undef M

struct ipc_refusal {
    IPC_REFUSAL(IPC_MEMBER)
};
ERRFN ipc_put_refusal(struct buf *out, const struct ipc_refusal *m);
ERRFN ipc_get_refusal(struct view body, struct ipc_refusal *out_message);

/* What the table says of a message. */
struct ipc_message_info {
    const char *name;
    enum ipc_type type;
    enum ipc_channel_id channel;
    unsigned states;       /* of enum ipc_state */
    size_t request_max;    /* bytes of the longest body */
    size_t reply_max;
};

/* NULL when there is no such type. */
const struct ipc_message_info *ipc_message_info(uint16_t type);

/* The whole table, for tests and documents. */
const struct ipc_message_info *ipc_message_table(size_t *out_count);

#endif
