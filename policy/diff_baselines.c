#include "base/clock.h"
#include "policy/diff_parts.h"
#include "policy/evaluation.h"

#include <stdio.h>
#include <string.h>

static const struct policy_baseline *find_baseline(const struct policy *p, const char *name,
                                                   size_t guess)
{
    if (guess < p->baseline_count && strcmp(p->baselines[guess].name, name) == 0) {
        return &p->baselines[guess]; /* versions mostly keep the order */
    }
    for (size_t i = 0; i < p->baseline_count; i++) {
        if (strcmp(p->baselines[i].name, name) == 0) {
            return &p->baselines[i];
        }
    }
    return NULL;
}

static ERRFN diff_time(struct buf *out, const char *path, const char *what, uint64_t from_ms,
                       uint64_t to_ms)
{
    char time[CLOCK_TEXT_SIZE];
    if (from_ms == to_ms) {
        return OK;
    }
    if (to_ms == 0) {
        return buf_printf(out, "%s: %s is gone\n", path, what);
    }
    clock_format(to_ms, time);
    return buf_printf(out, "%s: %s is now %s\n", path, what, time);
}

static ERRFN diff_baseline(struct buf *out, const struct policy *from,
                           const struct policy_baseline *old, const struct policy *to,
                           const struct policy_baseline *new)
{
    char path[2 * POLICY_NAME_SIZE];
    WRITE(path, "baseline %s", new->name);
    if (old->state != new->state) {
        TRY(buf_printf(out, "%s goes from %s to %s\n", path, policy_state_name(old->state),
                       policy_state_name(new->state)));
    }
    TRY(diff_scopes(out, path, &old->scope, &new->scope));
    TRY(diff_time(out, path, "from", old->from_ms, new->from_ms));
    TRY(diff_time(out, path, "until", old->until_ms, new->until_ms));
    TRY(diff_pcr_values(out, path, (struct diff_values){old->pcr_values, old->pcr_values_count},
                        (struct diff_values){new->pcr_values, new->pcr_values_count}));
    return diff_rules(out, path, (struct diff_rules){from, &old->rules},
                      (struct diff_rules){to, &new->rules});
}

static bool asks(const struct policy *p)
{
    for (size_t i = 0; i < p->baseline_count; i++) {
        if (p->baselines[i].state == POLICY_STATE_ACTIVE ||
            p->baselines[i].state == POLICY_STATE_OBSOLETE) {
            return true;
        }
    }
    return false;
}

ERRFN diff_baselines(struct buf *out, const struct policy *from, const struct policy *to)
{
    for (size_t i = 0; i < to->baseline_count; i++) {
        const struct policy_baseline *new = &to->baselines[i];
        const struct policy_baseline *old = find_baseline(from, new->name, i);
        if (old) {
            TRY(diff_baseline(out, from, old, to, new));
        } else {
            TRY(buf_printf(out, "baseline %s added, %s\n", new->name,
                           policy_state_name(new->state)));
        }
    }
    for (size_t i = 0; i < from->baseline_count; i++) {
        const struct policy_baseline *old = &from->baselines[i];
        if (!find_baseline(to, old->name, i)) {
            TRY(buf_printf(out, "baseline %s removed; it was %s\n", old->name,
                           policy_state_name(old->state)));
        }
    }
    return asks(from) && !asks(to)
               ? buf_put_text(out, "no baseline is in force any more: the rules alone decide\n")
               : OK;
}

static const struct policy_exception *find_exception(const struct policy *p,
                                                     const struct policy_exception *like)
{
    for (size_t i = 0; i < p->exception_count; i++) {
        if (strcmp(p->exceptions[i].machine, like->machine) == 0 &&
            strcmp(p->exceptions[i].rule, like->rule) == 0) {
            return &p->exceptions[i];
        }
    }
    return NULL;
}

static ERRFN diff_exception(struct buf *out, const struct policy_exception *old,
                            const struct policy_exception *new)
{
    char path[POLICY_MACHINE_SIZE + 2 * POLICY_RULE_SIZE];
    WRITE(path, "exception of %s from %s", new->machine, new->rule);
    TRY(diff_time(out, path, "its end", old->expires_ms, new->expires_ms));
    return old->once == new->once
               ? OK
               : buf_printf(out, "%s holds %s\n", path, new->once ? "once only" : "until it ends");
}

ERRFN diff_exceptions(struct buf *out, const struct policy *from, const struct policy *to)
{
    for (size_t i = 0; i < to->exception_count; i++) {
        const struct policy_exception *new = &to->exceptions[i];
        const struct policy_exception *old = find_exception(from, new);
        if (old) {
            TRY(diff_exception(out, old, new));
        } else {
            TRY(buf_printf(out, "exception added: %s is let off %s%s: %s\n", new->machine,
                           new->rule, new->once ? " once" : "", new->reason));
        }
    }
    for (size_t i = 0; i < from->exception_count; i++) {
        const struct policy_exception *old = &from->exceptions[i];
        if (!find_exception(to, old)) {
            TRY(buf_printf(out, "exception removed: %s is no longer let off %s\n", old->machine,
                           old->rule));
        }
    }
    return OK;
}

static const char *gate_mode(const struct policy *p, const char *name)
{
    enum policy_mode mode = p->gates[2].mode; /* a class without a line is an ordinary secret */
    for (size_t i = 0; i < p->gate_count; i++) {
        if (strcmp(p->gates[i].name, name) == 0) {
            mode = p->gates[i].mode;
        }
    }
    mode = mode == POLICY_MODE_NONE ? p->mode : mode;
    return mode == POLICY_MODE_TELEMETRY ? "telemetry" : "enforce";
}

ERRFN diff_gates(struct buf *out, const struct policy *from, const struct policy *to)
{
    const struct policy *sides[] = {to, from};
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = side == 0 ? 0 : 3; i < sides[side]->gate_count; i++) {
            const char *name = sides[side]->gates[i].name;
            const char *old = gate_mode(from, name);
            const char *new = gate_mode(to, name);
            bool again = false;
            for (size_t k = 3; side == 1 && k < to->gate_count && !again; k++) {
                again = strcmp(to->gates[k].name, name) == 0;
            }
            if (!again && strcmp(old, new) != 0) {
                TRY(buf_printf(out, "gate %s goes from %s to %s\n", name, old, new));
            }
        }
    }
    return OK;
}
