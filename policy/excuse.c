/* Exceptions of one machine. */
#include "policy/evaluation.h"

#include <string.h>

static bool is_machine(const struct policy_facts *f, const char *machine)
{
    return (f->machine_id && strcmp(machine, f->machine_id) == 0) ||
           (f->ek_fingerprint && strcmp(machine, f->ek_fingerprint) == 0) ||
           (f->ek_public_hash && strcmp(machine, f->ek_public_hash) == 0);
}

static bool is_spent(const struct policy_facts *f, const struct policy_exception *x)
{
    for (size_t i = 0; x->once && i < f->spent_count; i++) {
        if (f->spent[i].expires_ms == x->expires_ms && strcmp(f->spent[i].rule, x->rule) == 0) {
            return true;
        }
    }
    return false;
}

void evaluation_find_excuses(struct evaluation *e)
{
    const struct policy_facts *f = e->facts;
    e->excuse_count = 0;
    for (size_t i = 0; i < e->policy->exception_count; i++) {
        const struct policy_exception *x = &e->policy->exceptions[i];
        if (f->now_ms < x->expires_ms && is_machine(f, x->machine) && !is_spent(f, x) &&
            e->excuse_count < POLICY_EXCEPTIONS_USED_MAX) {
            e->excuses[e->excuse_count++] = (uint16_t)i;
        }
    }
}

static bool find_excuse(const struct evaluation *e, const char *rule, uint16_t *out_index)
{
    for (size_t i = 0; i < e->excuse_count; i++) {
        if (strcmp(e->policy->exceptions[e->excuses[i]].rule, rule) == 0) {
            *out_index = e->excuses[i];
            return true;
        }
    }
    return false;
}

bool evaluation_has_excuse(const struct evaluation *e, const char *rule)
{
    uint16_t index;
    return find_excuse(e, rule, &index);
}

/* The verdict lasts no longer than what it leans on. */
void evaluation_use_excuse(struct evaluation *e, const char *rule)
{
    struct policy_verdict *v = e->verdict;
    uint16_t index;
    if (!find_excuse(e, rule, &index)) {
        return;
    }
    for (size_t i = 0; i < v->exception_count; i++) {
        if (v->exceptions[i] == index) {
            return;
        }
    }
    v->exceptions[v->exception_count++] = index; /* as many fit as may be used */
    uint64_t expires_ms = e->policy->exceptions[index].expires_ms;
    e->bound_until_ms = expires_ms < e->bound_until_ms ? expires_ms : e->bound_until_ms;
}
