#include "policy/bank.h"
#include "policy/evaluation.h"
#include "policy/reader.h"

#include <string.h>

/* By bank and index; the first of two values for one PCR counts. */
static void index_pcrs(struct evaluation *e)
{
    const struct policy_facts *f = e->facts;
    memset(e->pcrs, 0, sizeof e->pcrs);
    for (size_t i = 0; f->quoted && i < f->pcr_count; i++) {
        size_t bank = policy_bank_index(f->pcrs[i].bank);
        if (bank < POLICY_BANKS_MAX && f->pcrs[i].index < POLICY_PCR_COUNT &&
            e->pcrs[bank][f->pcrs[i].index].len == 0) {
            e->pcrs[bank][f->pcrs[i].index] = f->pcrs[i].digest;
        }
    }
}

static void begin(struct evaluation *e, const struct policy *p, const struct policy_facts *f,
                  struct policy_verdict *out_verdict)
{
    memset(out_verdict, 0, sizeof *out_verdict);
    e->policy = p;
    e->facts = f;
    e->verdict = out_verdict;
    e->locked = false;
    e->failed = 0;
    e->bound_until_ms = UINT64_MAX;
    e->part = &out_verdict->policy;
    bool compared = f->quoted && f->event_log == POLICY_LOG_READ;
    e->replays = compared ? f->log_replays & ~f->log_differs & policy_selected_pcrs(p) : 0;
    index_pcrs(e);
    evaluation_find_excuses(e);
    evaluation_index_claims(e);
}

/* What a machine runs. Without a quote nothing of that is known, and if one is required the verdict
 * stands already. */
static void check_software(struct evaluation *e)
{
    const struct policy *p = e->policy;
    if (!e->facts->quoted && p->require_quote) {
        return;
    }
    evaluation_check_firmware(e);
    if (e->facts->quoted) {
        evaluation_look_at_pcrs(e, p->pcr_values, p->pcr_values_count, LOOK_REPORT, true,
                                E(PCR_POLICY));
    }
    evaluation_report_rules(e, &p->rules, true, true, E(CLAIM_POLICY));
    evaluation_check_baselines(e);
}

void policy_evaluate(const struct policy *policy, const struct policy_facts *facts,
                     struct policy_verdict *out_verdict)
{
    struct evaluation e;
    begin(&e, policy, facts, out_verdict);
    evaluation_check_identity(&e);
    evaluation_check_log(&e);
    e.part = &out_verdict->policy;
    if (!evaluation_in_scope(&e, &policy->scope, false)) {
        evaluation_report_scope(&e);
    } else {
        check_software(&e);
    }
    if (out_verdict->policy.outcome == POLICY_OUTCOME_NOT_EVALUATED) {
        out_verdict->policy.outcome = POLICY_OUTCOME_PASS;
    }
    evaluation_conclude(&e);
}
