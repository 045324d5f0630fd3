/* GET /policies/{number}/simulate: who would pass, fail or change if this version came into force, by each machine's last evidence. */
#include "signer/facts.h"
#include "signer/in_force.h"
#include "signer/operator.h"
#include "signer/verdict.h"
#include "sql/policies.h"

enum { SIMULATION_ROW_BYTES = 2048 };

struct simulation {
    struct call *call;
    struct policy *candidate;
    struct trust *trust; /* the candidate's */
    struct ipc_list *list;
    struct buf *rows;
    uint32_t limit;
    bool more;
};

static ERRFN judge_by(struct call *call, const struct machine *machine, const struct policy *policy, const struct trust *trust,
                      struct policy_verdict *out_verdict)
{
    struct facts_storage storage;
    AUTO(facts) facts = NULL;
    err_t loaded = facts_load(call, machine, trust, &storage, &facts);
    if (IS_OK(loaded)) {
        policy_evaluate(policy, &facts->policy, out_verdict);
    }
    facts_free(STEAL(facts));
    facts_storage_clear(&storage);
    return loaded;
}

static void describe_failure(const struct policy_verdict *verdict, struct ipc_simulation_record *row)
{
    for (size_t i = 0; i < verdict->failure_count; i++) {
        if (!verdict->failures[i].excused) {
            row->rule = view_text(verdict->failures[i].rule);
            row->expected = view_text(verdict->failures[i].expected);
            row->actual = view_text(verdict->failures[i].actual);
            return;
        }
    }
}

static ERRFN add(struct simulation *s, const struct machine *machine)
{
    const struct signer *signer = s->call->signer;
    struct policy_verdict now = {0};
    struct policy_verdict then = {0};
    struct ipc_simulation_record row = {
        .machine_id = view_text(machine->machine_id), .hostname = view_text(machine->hostname), .role = view_text(machine->role)};
    err_t judged = judge_by(s->call, machine, signer->policy, signer->trust, &now);
    if (IS_OK(judged)) {
        judged = judge_by(s->call, machine, s->candidate, s->trust, &then);
    }
    if (!IS_E(judged, NOT_FOUND)) {
        TRY(judged);
    }
    row.now = verdict_on_wire(now.result);
    row.then = verdict_on_wire(then.result);
    row.baseline = view_text(then.baseline);
    describe_failure(&then, &row);
    return ipc_list_add_simulation(s->list, s->rows, &row);
}

static err_t each(void *context, const struct machine *machine)
{
    struct simulation *s = context;
    if (s->list->count >= s->limit) {
        s->more = true;
        return OK;
    }
    return add(s, machine);
}

static ERRFN load_candidate(struct call *call, uint64_t number, struct simulation *s)
{
    AUTO(buf) text = NULL;
    struct stored_policy stored;
    struct policy_problem problem = {0};
    TRY(buf_new(POLICY_TEXT_MAX_BYTES, &text));
    TRY(policy_store_get(call->signer->db, number, &stored, text));
    TRY(in_force_read(call->signer, buf_view(text), &s->candidate, &problem));
    return in_force_trust(call->signer, s->candidate, &s->trust, &problem);
}

ERRFN handle_policy_simulate(struct call *call, const struct ipc_policy_simulate_request *request,
                             struct ipc_policy_simulate_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    struct machine_filter filter = {.status = MACHINE_NONE};
    char after[MACHINE_ID_SIZE];
    struct simulation s = {.call = call, .list = &out_reply->machines, .limit = request->limit ? request->limit : IPC_ROWS_MAX_simulation};
    TRY(operator_may_read(call, &act));
    TRY(view_to_text(request->after, after, sizeof after));
    TRY(call_buffer(call, (size_t)IPC_ROWS_MAX_simulation * SIMULATION_ROW_BYTES, &s.rows));
    err_t simulated = load_candidate(call, request->number, &s);
    if (IS_OK(simulated)) {
        simulated = machine_list(call->signer->db, &filter, after, s.limit + 1, each, &s);
    }
    policy_free(s.candidate);
    trust_free(s.trust);
    out_reply->more = s.more;
    return simulated;
}
