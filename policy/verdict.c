#include "policy/evaluation.h"

#include <stdio.h>
#include <string.h>

/* Takes over a row, or only notes that there was one when there is no room. */
static void add_failure(struct evaluation *e, const struct policy_failure *failure, uint8_t gate,
                        bool excused)
{
    struct policy_verdict *v = e->verdict;
    if (v->failure_count == POLICY_FAILURES_MAX) {
        v->more = true;
        return;
    }
    struct policy_failure *row = &v->failures[v->failure_count++];
    *row = *failure;
    row->excused = excused;
    if (gate > 0) {
        WRITE(row->gate, "%s", e->policy->gates[gate - 1].name);
    }
}

static void fail_part(struct evaluation *e, err_t reason)
{
    e->part->outcome = POLICY_OUTCOME_FAIL;
    if (IS_OK(e->part->reason)) {
        e->part->reason = reason;
    }
}

void evaluation_fail_identity(struct evaluation *e, const struct policy_failure *failure,
                              err_t reason, bool excusable)
{
    bool excused = excusable && evaluation_has_excuse(e, failure->rule);
    add_failure(e, failure, 0, excused);
    if (excused) {
        evaluation_use_excuse(e, failure->rule);
        return;
    }
    fail_part(e, reason);
    e->locked = true;
}

/* A failure of "secrets" is one of every class of them. */
static uint64_t gates_of(const struct policy *p, uint8_t gate)
{
    if (gate == 0) {
        return UINT64_MAX;
    }
    bool secrets = strcmp(p->gates[gate - 1].name, "secrets") == 0;
    return secrets ? UINT64_MAX << (gate - 1) : 1ULL << (gate - 1);
}

void evaluation_fail(struct evaluation *e, const struct policy_failure *failure, err_t reason,
                     uint8_t gate)
{
    bool excused = evaluation_has_excuse(e, failure->rule);
    add_failure(e, failure, gate, excused);
    if (excused) {
        evaluation_use_excuse(e, failure->rule);
    } else if (!failure->telemetry) {
        fail_part(e, reason);
        e->failed |= gates_of(e->policy, gate);
    }
}

static bool is_open(const struct evaluation *e, size_t gate)
{
    enum policy_mode mode = e->policy->gates[gate].mode;
    if (mode == POLICY_MODE_NONE) {
        mode = e->policy->mode;
    }
    bool failed = e->failed & 1ULL << gate;
    return !e->locked && (!failed || mode == POLICY_MODE_TELEMETRY);
}

static void set_gates(struct evaluation *e)
{
    struct policy_gates *gates = &e->verdict->gates;
    gates->config = is_open(e, 0);
    gates->certificates = is_open(e, 1);
    gates->secrets = is_open(e, 2);
    for (size_t i = 3; i < e->policy->gate_count; i++) {
        WRITE(gates->classes[gates->class_count].name, "%s",
              e->policy->gates[i].name + strlen("secrets."));
        gates->classes[gates->class_count++].open = is_open(e, i);
    }
}

static bool all_excused(const struct policy_verdict *v)
{
    for (size_t i = 0; i < v->failure_count; i++) {
        if (!v->failures[i].excused) {
            return false;
        }
    }
    return !v->more;
}

void evaluation_conclude(struct evaluation *e)
{
    struct policy_verdict *v = e->verdict;
    uint64_t until_ms = e->facts->now_ms + e->policy->max_age_ms;
    v->valid_until_ms = e->bound_until_ms < until_ms ? e->bound_until_ms : until_ms;
    set_gates(e);
    if (all_excused(v)) {
        v->result = POLICY_RESULT_PASS;
    } else {
        v->result = v->gates.config ? POLICY_RESULT_TELEMETRY : POLICY_RESULT_FAIL;
    }
}

void evaluation_clean_text(struct view text, char *out_text, size_t size)
{
    size_t len = text.len < size ? text.len : size - 1;
    for (size_t i = 0; i < len; i++) {
        out_text[i] = text.data[i] >= 0x20 && text.data[i] < 0x7f ? (char)text.data[i] : '?';
    }
    out_text[len] = '\0';
}

void evaluation_list_pcrs(uint32_t mask, char *out_text, size_t size)
{
    snprintf(out_text, size, "PCR");
    const char *between = " ";
    for (unsigned i = 0; i < POLICY_PCR_COUNT; i++) {
        if (mask & 1u << i) {
            size_t at = strlen(out_text);
            snprintf(out_text + at, size - at, "%s%u", between, i);
            between = ", ";
        }
    }
}

bool policy_gates_secret(const struct policy_gates *gates, const char *class_name)
{
    for (size_t i = 0; i < gates->class_count; i++) {
        if (strcmp(gates->classes[i].name, class_name) == 0) {
            return gates->classes[i].open;
        }
    }
    return gates->secrets;
}

const char *policy_result_name(enum policy_result result)
{
    switch (result) {
    case POLICY_RESULT_PASS:
        return "pass";
    case POLICY_RESULT_FAIL:
        return "fail";
    case POLICY_RESULT_TELEMETRY:
        return "telemetry";
    case POLICY_RESULT_NONE:
        break;
    }
    return "not_evaluated";
}

const char *policy_outcome_name(enum policy_outcome outcome)
{
    switch (outcome) {
    case POLICY_OUTCOME_PASS:
        return "pass";
    case POLICY_OUTCOME_FAIL:
        return "fail";
    case POLICY_OUTCOME_NOT_EVALUATED:
        break;
    }
    return "not_evaluated";
}
