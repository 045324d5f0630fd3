/* POST /policies, GET /policies, GET /policies/{number}, POST /policies/{number}/activate. */
#include "base/text.h"
#include "crypto/digest.h"
#include "signer/body.h"
#include "signer/in_force.h"
#include "signer/operator.h"
#include "signer/record.h"
#include "sql/policies.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { POLICY_ROW_BYTES = 1024 };

static ERRFN add_policy(struct ipc_list *list, struct buf *storage, const struct stored_policy *p)
{
    struct ipc_policy_record record = {
        .number = p->number,
        .name = view_text(p->name),
        .version = p->version,
        .author = view_text(p->author),
        .comment = view_text(p->comment),
        .created_at = p->created_ms,
        .activated_at = p->activated_ms,
        .active = p->active,
    };
    memcpy(record.sha384, p->sha384, sizeof record.sha384);
    return ipc_list_add_policy(list, storage, &record);
}

static ERRFN list_one(struct call *call, const struct stored_policy *policy, struct ipc_list *out_list)
{
    struct buf *storage;
    TRY(call_buffer(call, POLICY_ROW_BYTES, &storage));
    return add_policy(out_list, storage, policy);
}

/* -- push --------------------------------------------------------------------------------------------------- */

/* A text that is no policy is refused with its place; the refusal is audited like any other. */
static ERRFN answer_problem(struct call *call, const struct policy_problem *problem, struct ipc_policy_push_reply *out_reply)
{
    TRY(call_text(call, problem->text, &out_reply->problem));
    TRY(call_text(call, problem->path, &out_reply->path));
    out_reply->line = problem->line;
    out_reply->column = problem->column;
    return record_refusal(call, E(POLICY_INVALID));
}

static ERRFN record_push(struct call *call, const struct stored_policy *p, uint64_t number)
{
    char digest[2 * SHA384_BYTES + 1];
    AUTO(buf) detail = NULL;
    TRY(buf_new(1024, &detail));
    hex_encode(view_of(p->sha384, sizeof p->sha384), digest);
    TRY(buf_printf(detail, "{\"number\":%" PRIu64 ",\"version\":%" PRIu32 ",\"sha384\":\"%s\"}", number, p->version, digest));
    TRY(buf_put_u8(detail, 0));
    return record_act(call, "policy_push", NULL, NULL, NULL, (const char *)detail->data);
}

static ERRFN store(struct call *call, const struct policy *policy, struct view text, const char *comment,
                   struct ipc_policy_push_reply *out_reply)
{
    struct stored_policy p = {.version = policy->version, .created_ms = call->now_ms};
    TRY(sha384(text, p.sha384));
    TRY(view_to_text(view_text(policy->name), p.name, sizeof p.name));
    TRY(view_to_text(view_text(call->actor), p.author, sizeof p.author));
    TRY(view_to_text(view_text(comment), p.comment, sizeof p.comment));
    err_t put = policy_store_put(call->signer->db, &p, text, &p.number);
    out_reply->known = IS_E(put, DB_CONFLICT);
    if (!out_reply->known) {
        TRY(put);
        TRY(record_push(call, &p, p.number));
        return list_one(call, &p, &out_reply->policy);
    }
    AUTO(buf) stored_text = NULL;
    struct stored_policy stored;
    TRY(buf_new(POLICY_TEXT_MAX_BYTES, &stored_text));
    TRY(policy_store_get(call->signer->db, p.number, &stored, stored_text));
    return list_one(call, &stored, &out_reply->policy);
}

/* The policy's text as the body has it. */
static ERRFN read_push(struct call *call, struct view body, struct view *out_text, char out_comment[static POLICY_COMMENT_SIZE])
{
    struct buf *storage;
    uint8_t *at;
    TRY(call_buffer(call, POLICY_TEXT_MAX_BYTES + 1, &storage));
    TRY(buf_extend(storage, POLICY_TEXT_MAX_BYTES + 1, &at));
    at[0] = 0;
    const struct body_field fields[] = {
        {"policy", "body.policy", (char *)at, POLICY_TEXT_MAX_BYTES + 1, NULL, true},
        {"comment", "body.comment", out_comment, POLICY_COMMENT_SIZE, NULL, false},
    };
    TRY(body_read(call, body, fields, sizeof fields / sizeof fields[0]));
    if (at[0] == 0) {
        return call_refuse(call, E(FIELD_MISSING), "body.policy");
    }
    *out_text = view_text((const char *)at);
    return OK;
}

ERRFN handle_policy_push(struct call *call, const struct ipc_policy_push_request *request,
                         struct ipc_policy_push_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    AUTO(policy) policy = NULL;
    struct policy_problem problem = {0};
    struct view text;
    char comment[POLICY_COMMENT_SIZE] = "";
    TRY(operator_may_grant(call, &act, "POST", "/api/v1/policies"));
    call->keep = true;
    TRY(read_push(call, request->body, &text, comment));
    err_t read = in_force_read(call->signer, text, &policy, &problem);
    if (IS_E(read, POLICY_INVALID)) {
        return answer_problem(call, &problem, out_reply);
    }
    TRY(read);
    call->keep = false;
    return store(call, policy, text, comment, out_reply);
}

/* -- list and get --------------------------------------------------------------------------------------------- */

struct listing {
    struct ipc_list *list;
    struct buf *storage;
    uint32_t limit;
    bool more;
};

static err_t add_row(void *context, const struct stored_policy *policy)
{
    struct listing *listing = context;
    if (listing->list->count >= listing->limit) {
        listing->more = true;
        return OK;
    }
    return add_policy(listing->list, listing->storage, policy);
}

ERRFN handle_policy_list(struct call *call, const struct ipc_policy_list_request *request,
                         struct ipc_policy_list_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    TRY(operator_may_read(call, &act));
    struct listing listing = {.list = &out_reply->policies, .limit = request->limit ? request->limit : IPC_ROWS_MAX_policy};
    TRY(call_buffer(call, (size_t)listing.limit * POLICY_ROW_BYTES, &listing.storage));
    TRY(policy_store_list(call->signer->db, request->before, listing.limit + 1, add_row, &listing));
    out_reply->more = listing.more;
    return OK;
}

static ERRFN find(struct call *call, uint8_t which, uint64_t number, struct stored_policy *out_policy, struct buf *out_text)
{
    struct db *db = call->signer->db;
    switch ((enum ipc_policy_which)which) {
    case IPC_POLICY_NUMBER:
        return policy_store_get(db, number, out_policy, out_text);
    case IPC_POLICY_ACTIVE:
        return policy_store_active(db, out_policy, out_text);
    case IPC_POLICY_PREVIOUS:
        TRY(policy_store_previous(db, &number));
        return policy_store_get(db, number, out_policy, out_text);
    }
    return E(POLICY_VERSION);
}

ERRFN handle_policy_get(struct call *call, const struct ipc_policy_get_request *request,
                        struct ipc_policy_get_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    TRY(operator_may_read(call, &act));
    struct buf *text;
    struct stored_policy policy;
    TRY(call_buffer(call, POLICY_TEXT_MAX_BYTES, &text));
    TRY(find(call, request->which, request->number, &policy, text));
    out_reply->text = buf_view(text);
    return list_one(call, &policy, &out_reply->policy);
}

/* -- activate --------------------------------------------------------------------------------------------------- */

/* What the operator read must be what the database holds: a lying front can't swap policies. */
static ERRFN check_digest(struct call *call, const struct stored_policy *policy, const char *sent)
{
    char digest[2 * SHA384_BYTES + 1];
    hex_encode(view_of(policy->sha384, sizeof policy->sha384), digest);
    if (sent[0] == '\0' && call->signer->settings.grants_signed) {
        return call_refuse(call, E(FIELD_MISSING), "body.sha384");
    }
    if (sent[0] != '\0' && strcmp(sent, digest) != 0) {
        return call_refuse(call, E(POLICY_CHANGED), "body.sha384");
    }
    return OK;
}

/* A release may have become stricter since the version was pushed. */
static ERRFN check_still_valid(struct call *call, struct view text)
{
    AUTO(policy) policy = NULL;
    struct policy_problem problem = {0};
    return in_force_read(call->signer, text, &policy, &problem);
}

static ERRFN record_activation(struct call *call, uint64_t before, uint64_t number, const char *comment)
{
    char from[24];
    char to[24];
    snprintf(from, sizeof from, "%" PRIu64, before);
    snprintf(to, sizeof to, "%" PRIu64, number);
    return record_act(call, "policy_activate", from, to, comment[0] ? comment : NULL, NULL);
}

ERRFN handle_policy_activate(struct call *call, const struct ipc_policy_activate_request *request,
                             struct ipc_policy_activate_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    struct signer *s = call->signer;
    char target[IPC_TARGET_MAX];
    char digest[2 * SHA384_BYTES + 1] = "";
    char comment[POLICY_COMMENT_SIZE] = "";
    snprintf(target, sizeof target, "/api/v1/policies/%" PRIu64 "/activate", request->number);
    TRY(operator_may_grant(call, &act, "POST", target));
    call->keep = true;
    /* Every credential there is so far is break-glass, which never votes. */
    ENSURE(!s->settings.dual_control_policy, BREAKGLASS_NO_VOTE);
    const struct body_field fields[] = {
        {"sha384", "body.sha384", digest, sizeof digest, NULL, false},
        {"comment", "body.comment", comment, sizeof comment, NULL, false},
    };
    TRY(body_read(call, request->body, fields, sizeof fields / sizeof fields[0]));
    AUTO(buf) text = NULL;
    struct stored_policy policy;
    TRY(buf_new(POLICY_TEXT_MAX_BYTES, &text));
    TRY(policy_store_get(s->db, request->number, &policy, text));
    TRY(check_digest(call, &policy, digest));
    TRY(check_still_valid(call, buf_view(text)));
    call->keep = false;
    TRY(policy_store_activate(s->db, policy.number, call->now_ms));
    TRY(record_activation(call, s->policy_number, policy.number, comment));
    s->policy_changed = true;
    buf_truncate(text, 0);
    TRY(policy_store_get(s->db, policy.number, &policy, text));
    return list_one(call, &policy, &out_reply->policy);
}
