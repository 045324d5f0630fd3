#include "base/text.h"
#include "policy/bank.h"
#include "policy/baseline_yaml.h"
#include "policy/claims.h"
#include "policy/evaluation.h"
#include "policy/golden.h"
#include "policy/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A new kernel is measured by the firmware as an application (4), by GRUB (8, 9) and by
 * systemd-stub (9, 11, 12); a stub that has the firmware load the kernel makes a second event in 4.
 */
#define PCRS_OF_KERNEL (1u << 4 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 12)

struct prediction {
    const struct policy *policy;
    const struct policy_update *update;
    struct buf *out;
    struct buf *said;
    uint32_t touched; /* PCRs that change with the update */
    bool kernel;      /* some claim about the kernel or its image changes */
    size_t kept;      /* values and deciding rules written: without any it would match everything */
};

static bool gives_claim(const struct policy_update *u, struct view name)
{
    for (size_t i = 0; i < u->claim_count; i++) {
        if (view_is(name, u->claims[i].name)) {
            return true;
        }
    }
    return false;
}

static void survey(struct prediction *p)
{
    for (size_t i = 0; i < p->update->claim_count; i++) {
        struct view name = view_text(p->update->claims[i].name);
        bool kernel = policy_claim_is_of_kernel(name);
        p->kernel = p->kernel || kernel;
        p->touched |= policy_claim_pcrs(name) | (kernel ? PCRS_OF_KERNEL : 0);
    }
    for (size_t i = 0; i < p->update->pcr_count; i++) {
        p->touched |=
            p->update->pcrs[i].index < POLICY_PCR_COUNT ? 1u << p->update->pcrs[i].index : 0;
    }
}

static bool is_given(const struct policy_pcr *pcr, const struct policy_pcr_value *value)
{
    return pcr->index == value->index && strcmp(pcr->bank, value->bank) == 0;
}

static ERRFN put_given(struct prediction *p, const struct policy_pcr_value *old,
                       const struct policy_pcr_value **previous, size_t *out_count,
                       struct policy_pcr_value *storage)
{
    *out_count = 0;
    for (size_t i = 0; i < p->update->pcr_count; i++) {
        const struct policy_pcr *pcr = &p->update->pcrs[i];
        if (!is_given(pcr, old)) {
            continue;
        }
        ENSURE(pcr->digest.len == old->digest_len, FIELD_INVALID);
        struct policy_pcr_value value = *old;
        memcpy(value.digest, pcr->digest.data, pcr->digest.len);
        TRY(baseline_yaml_pcr(p->out, &value, *previous));
        *storage = value;
        *previous = storage;
        (*out_count)++;
    }
    return OK;
}

/* All values of one PCR, from `values` on, by the update's or none. */
static ERRFN replace_pcr(struct prediction *p, const struct policy_pcr_value *value,
                         const struct policy_pcr_value **previous, struct policy_pcr_value *storage)
{
    size_t given;
    TRY(put_given(p, value, previous, &given, storage));
    p->kept += given;
    return buf_printf(p->said, "PCR %u of %s was %s\n", (unsigned)value->index, value->bank,
                      given ? "replaced by the value given"
                            : "dropped: it changes with this update and no value was given");
}

static ERRFN put_pcrs(struct prediction *p, const struct policy_baseline *b)
{
    struct policy_pcr_value storage;
    const struct policy_pcr_value *previous = NULL;
    for (size_t i = 0; i < b->pcr_values_count; i++) {
        const struct policy_pcr_value *value = &b->pcr_values[i];
        bool again =
            i > 0 && value->index == value[-1].index && strcmp(value->bank, value[-1].bank) == 0;
        if (!(p->touched & 1u << value->index)) {
            TRY(baseline_yaml_pcr(p->out, value, previous));
            previous = value;
            p->kept++;
        } else if (!again) {
            TRY(replace_pcr(p, value, &previous, &storage));
        }
    }
    return OK;
}

/* ".linux:" of ".linux:sha256:…"; empty for a value without parts. A section's value replaces that
 * of the same section; every other claim's values are replaced together. */
static struct view section_of(struct view claim, struct view value)
{
    const uint8_t *colon = memchr(value.data, ':', value.len);
    bool sections = view_is(claim, "uki.section");
    return sections && colon ? view_of(value.data, (size_t)(colon - value.data) + 1) : VIEW_EMPTY;
}

static bool replaces(const struct policy_update *u, struct view claim, struct view old)
{
    for (size_t i = 0; i < u->claim_count; i++) {
        if (view_is(claim, u->claims[i].name) &&
            view_equal(section_of(claim, u->claims[i].value), section_of(claim, old))) {
            return true;
        }
    }
    return false;
}

static ERRFN put_replaced(struct prediction *p, const struct policy_rule *old, struct view claim,
                          const char *gate)
{
    const struct policy_update *u = p->update;
    struct policy_rule rule = *old;
    struct view *items = calloc(old->values.count + u->claim_count, sizeof *items);
    ENSURE(items, NO_MEMORY);
    rule.values = (struct policy_texts){.items = items};
    bool fits = true;
    for (size_t i = 0; i < old->values.count; i++) {
        if (!replaces(u, claim, old->values.items[i])) {
            items[rule.values.count++] = old->values.items[i];
        }
    }
    for (size_t i = 0; i < u->claim_count; i++) {
        if (view_is(claim, u->claims[i].name)) {
            fits = fits && baseline_yaml_can_hold(u->claims[i].value);
            items[rule.values.count++] = u->claims[i].value;
        }
    }
    policy_texts_settle(&rule.values);
    if (rule.op == POLICY_OP_EQUALS && rule.values.count > 1) {
        rule.op = POLICY_OP_ONE_OF;
    }
    fits = fits && rule.values.count <= POLICY_RULE_VALUES_MAX;
    err_t e = fits ? baseline_yaml_rule(p->out, &rule, claim, gate, false) : E(FIELD_INVALID);
    free(items);
    return e;
}

static bool is_pinned(const struct policy_rule *rule)
{
    return rule->op == POLICY_OP_EQUALS || rule->op == POLICY_OP_ONE_OF ||
           rule->op == POLICY_OP_SUBSET_OF || rule->op == POLICY_OP_CONTAINS;
}

static ERRFN put_rule(struct prediction *p, const struct policy_rule *rule, bool *first)
{
    struct view claim = p->policy->claim_names.items[rule->claim];
    const char *gate = rule->gate ? p->policy->gates[rule->gate - 1].name : NULL;
    bool given = gives_claim(p->update, claim);
    if (is_pinned(rule) && !given && p->kernel && policy_claim_is_of_kernel(claim)) {
        return buf_printf(p->said,
                          "rule %s was dropped: %.*s changes with this update and was not given\n",
                          rule->name, (int)claim.len, (const char *)claim.data);
    }
    if (*first) {
        TRY(buf_put_text(p->out, "  claims:\n"));
        *first = false;
    }
    p->kept += evaluation_rule_decides(rule);
    if (!is_pinned(rule) || !given) {
        return baseline_yaml_rule(p->out, rule, claim, gate, false);
    }
    TRY(put_replaced(p, rule, claim, gate));
    return buf_printf(p->said, "rule %s got the value given for %.*s%s\n", rule->name,
                      (int)claim.len, (const char *)claim.data,
                      view_is(claim, "uki.section") ? "; sections not given stay as they were"
                                                    : "");
}

/* An update that nothing in the baseline is about would be lost in silence. */
static ERRFN say_unused(struct prediction *p, const struct policy_baseline *b)
{
    for (size_t i = 0; i < p->update->claim_count; i++) {
        bool used = false;
        for (size_t r = 0; r < b->rules.count && !used; r++) {
            used = is_pinned(&b->rules.rule[r]) &&
                   view_is(p->policy->claim_names.items[b->rules.rule[r].claim],
                           p->update->claims[i].name);
        }
        if (!used) {
            TRY(buf_printf(p->said, "%s was not used: the baseline does not pin it\n",
                           p->update->claims[i].name));
        }
    }
    for (size_t i = 0; i < p->update->pcr_count; i++) {
        bool used = false;
        for (size_t v = 0; v < b->pcr_values_count && !used; v++) {
            used = is_given(&p->update->pcrs[i], &b->pcr_values[v]);
        }
        if (!used) {
            TRY(buf_printf(p->said, "PCR %u of %s was not used: the baseline does not pin it\n",
                           (unsigned)p->update->pcrs[i].index, p->update->pcrs[i].bank));
        }
    }
    return OK;
}

ERRFN policy_predict(const struct policy *policy, const struct policy_baseline *baseline,
                     const struct policy_update *update, const char *name, struct buf *out_yaml,
                     struct buf *out_said)
{
    struct prediction p = {.policy = policy, .update = update, .out = out_yaml, .said = out_said};
    char text[POLICY_VALUE_SIZE];
    bool first = true;
    ENSURE(update->claim_count + update->pcr_count > 0, FIELD_INVALID);
    survey(&p);
    TRY(baseline_yaml_begin(out_yaml, name));
    snprintf(text, sizeof text, "predicted from %s", baseline->name);
    TRY(baseline_yaml_comment(out_yaml, text));
    TRY(baseline_yaml_scope(out_yaml, &baseline->scope));
    TRY(put_pcrs(&p, baseline));
    for (size_t i = 0; i < baseline->rules.count; i++) {
        TRY(put_rule(&p, &baseline->rules.rule[i], &first));
    }
    TRY(say_unused(&p, baseline));
    ENSURE(p.kept > 0, FIELD_INVALID);
    return OK;
}
