/* What operators do to machines: lock, unlock, revoke, reject, delete; and the end of a wipe, which
 * the machine itself may report (contract A.2, B.1.12 to B.1.14). */
#include "front/machine_answer.h"
#include "front/operator_request.h"
#include "front/route.h"

static ERRFN check(struct exchange *x)
{
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    return x->body.len > 0 ? operator_check_body(x) : OK;
}

/* Each act is a message of its own with the same fields. */
#define HANDLE(act)                                                                            \
    ERRFN handle_machine_##act(struct exchange *x)                                             \
    {                                                                                          \
        struct ipc_machine_##act##_request request = {.machine_id = x->argument};              \
        struct ipc_machine_##act##_reply reply;                                                \
        struct ipc_answer answer;                                                              \
        TRY(check(x));                                                                         \
        SET_OPERATOR_FIELDS(&request, x);                                                      \
        err_t called =                                                                         \
            ipc_call_machine_##act(x->front->api, &request, API_DEADLINE_MS, &answer, &reply); \
        err_t done = IS_OK(called) ? machine_answer(x, reply.machine)                          \
                                   : exchange_refused(x, called, &answer.refusal);             \
        ipc_answer_clear(&answer);                                                             \
        return done;                                                                           \
    }

HANDLE(lock)
HANDLE(unlock)
HANDLE(revoke)
HANDLE(reject)
HANDLE(delete)

/* The machine sends the token of its order; whoever sends none is an operator. */
static ERRFN read_wipe_token(struct exchange *x, struct fields *f, struct view *out_token)
{
    *out_token = VIEW_EMPTY;
    if (x->body.len == 0) {
        return OK;
    }
    err_t read = field_text(f, "wipe_token", IPC_TOKEN_MAX, "", out_token);
    return IS_OK(read) ? OK : exchange_fault(x, read, "body", f->fault);
}

ERRFN handle_machine_wipe_ack(struct exchange *x)
{
    struct ipc_machine_wipe_ack_request request = {.machine_id = x->argument};
    struct ipc_machine_wipe_ack_reply reply;
    struct ipc_answer answer;
    AUTO(fields) f = NULL;
    TRY(check(x));
    if (x->body.len > 0) {
        TRY(exchange_fields(x, &f));
    }
    TRY(read_wipe_token(x, f, &request.wipe_token));
    SET_OPERATOR_FIELDS(&request, x);
    err_t called =
        ipc_call_machine_wipe_ack(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? machine_answer(x, reply.machine)
                               : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
