#include "base/clock.h"
#include "policy/bank.h"
#include "policy/baseline_yaml.h"
#include "policy/claims.h"
#include "policy/golden.h"
#include "policy/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PCR_OF_SETTINGS = 1 }; /* firmware settings and asset tags: differs between equal machines */

struct capture {
    const struct policy_facts *facts;
    struct buf *out;
    uint32_t proved; /* PCRs whose claims count */
    size_t rules;
};

static bool is_quoted(const struct policy_facts *f, size_t bank, unsigned index,
                      struct policy_pcr_value *out_value)
{
    for (size_t i = 0; i < f->pcr_count; i++) {
        const struct policy_pcr *pcr = &f->pcrs[i];
        if (pcr->index == index && strcmp(pcr->bank, policy_bank_names[bank]) == 0 &&
            pcr->digest.len == policy_bank_digest_bytes(bank)) {
            *out_value = (struct policy_pcr_value){.index = pcr->index,
                                                   .digest_len = (uint8_t)pcr->digest.len};
            memcpy(out_value->digest, pcr->digest.data, pcr->digest.len);
            snprintf(out_value->bank, sizeof out_value->bank, "%s", policy_bank_names[bank]);
            return true;
        }
    }
    return false;
}

static ERRFN put_pcrs(const struct capture *c)
{
    struct policy_pcr_value value;
    struct policy_pcr_value previous;
    bool first = true;
    for (size_t bank = 0; policy_bank_names[bank]; bank++) {
        for (unsigned i = 0; i < POLICY_PCR_COUNT; i++) {
            if (i == PCR_OF_SETTINGS || !is_quoted(c->facts, bank, i, &value)) {
                continue;
            }
            TRY(baseline_yaml_pcr(c->out, &value, first ? NULL : &previous));
            previous = value;
            first = false;
        }
    }
    return OK;
}

static ERRFN leave_out(const struct capture *c, const char *name, const char *why)
{
    char text[POLICY_VALUE_SIZE];
    snprintf(text, sizeof text, "left out: %s, %s", name, why);
    return baseline_yaml_comment(c->out, text);
}

/* "secure_boot.db" is pinned by the rule "secure-boot-db". */
static void name_rule(struct policy_rule *rule, const char *claim)
{
    snprintf(rule->name, sizeof rule->name, "%s", claim);
    for (char *c = rule->name; *c; c++) {
        *c = *c == '.' || *c == '_' ? '-' : *c;
    }
}

/* The claims of one name, from claim `at` on. */
static ERRFN gather(const struct capture *c, size_t at, struct policy_rule *rule, bool *out_clean)
{
    const struct policy_facts *f = c->facts;
    struct policy_texts *values = &rule->values;
    values->items = calloc(f->claim_count, sizeof *values->items);
    ENSURE(values->items, NO_MEMORY);
    *out_clean = true;
    for (size_t i = at; i < f->claim_count; i++) {
        if (strcmp(f->claims[i].name, f->claims[at].name) == 0) {
            *out_clean = *out_clean && baseline_yaml_can_hold(f->claims[i].value);
            values->items[values->count++] = f->claims[i].value;
            rule->pcrs |= f->claims[i].pcrs;
        }
    }
    policy_texts_settle(values);
    return OK;
}

static void choose_op(struct policy_rule *rule, enum policy_pin pin)
{
    bool single = pin == POLICY_PIN_EXACT && rule->values.count == 1;
    rule->op = single                      ? POLICY_OP_EQUALS
               : pin == POLICY_PIN_GROWING ? POLICY_OP_CONTAINS
                                           : POLICY_OP_SUBSET_OF;
}

static ERRFN put_rule(struct capture *c, const char *claim, struct policy_rule *rule)
{
    TRY(baseline_yaml_rule(c->out, rule, view_text(claim), NULL, c->rules == 0));
    c->rules++;
    return OK;
}

/* A rule's PCRs are those known for the name, and those where the log has the claim. */
static ERRFN pin_gathered(struct capture *c, const char *claim, struct policy_rule *rule,
                          bool clean, enum policy_pin pin)
{
    rule->pcrs |= policy_claim_pcrs(view_text(claim));
    if (rule->pcrs == 0) {
        return leave_out(c, claim, "of which it is not known which PCR proves it");
    }
    if (rule->pcrs & ~c->proved) {
        return leave_out(c, claim, "whose PCR is not quoted or does not replay");
    }
    if (!clean || rule->values.count > POLICY_RULE_VALUES_MAX) {
        return leave_out(c, claim, "which does not fit into a rule");
    }
    choose_op(rule, pin);
    name_rule(rule, claim);
    return put_rule(c, claim, rule);
}

static bool is_first(const struct policy_facts *f, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(f->claims[i].name, f->claims[at].name) == 0) {
            return false;
        }
    }
    return true;
}

static ERRFN put_claims(struct capture *c)
{
    const struct policy_facts *f = c->facts;
    for (size_t i = 0; i < f->claim_count; i++) {
        enum policy_pin pin = policy_claim_pin(view_text(f->claims[i].name));
        if (pin == POLICY_PIN_NONE || !is_first(f, i)) {
            continue;
        }
        struct policy_rule rule = {0};
        bool clean = false;
        err_t e = gather(c, i, &rule, &clean);
        if (IS_OK(e)) {
            e = pin_gathered(c, f->claims[i].name, &rule, clean, pin);
        }
        policy_texts_free(&rule.values);
        TRY(e);
    }
    return OK;
}

/* What a healthy machine's log does not say. */
static ERRFN put_absences(struct capture *c)
{
    static const char *const names[] = {"firmware.debug_mode", "firmware.dma_protection"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct policy_rule rule = {.op = POLICY_OP_ABSENT,
                                   .pcrs = policy_claim_pcrs(view_text(names[n]))};
        bool said = (rule.pcrs & ~c->proved) != 0;
        for (size_t i = 0; i < c->facts->claim_count && !said; i++) {
            said = strcmp(c->facts->claims[i].name, names[n]) == 0;
        }
        if (!said) {
            name_rule(&rule, names[n]);
            TRY(put_rule(c, names[n], &rule));
        }
    }
    return OK;
}

static uint32_t proved_pcrs(const struct policy_facts *f)
{
    uint32_t quoted = 0;
    for (size_t i = 0; i < f->pcr_count; i++) {
        quoted |= f->pcrs[i].index < POLICY_PCR_COUNT ? 1u << f->pcrs[i].index : 0;
    }
    return f->event_log == POLICY_LOG_READ ? quoted & f->log_replays & ~f->log_differs : 0;
}

ERRFN policy_capture(const struct policy_facts *facts, const char *name, struct buf *out_yaml)
{
    char time[CLOCK_TEXT_SIZE];
    char text[POLICY_VALUE_SIZE];
    ENSURE(facts->quoted && facts->pcr_count > 0, FIELD_INVALID);
    struct capture capture = {.facts = facts, .out = out_yaml, .proved = proved_pcrs(facts)};
    TRY(baseline_yaml_begin(out_yaml, name));
    clock_format(facts->now_ms, time);
    snprintf(text, sizeof text, "captured %s from machine %.64s", time,
             facts->machine_id ? facts->machine_id : "unknown");
    TRY(baseline_yaml_comment(out_yaml, text));
    TRY(put_pcrs(&capture));
    if (facts->claims_truncated || facts->claim_count > POLICY_CLAIMS_MAX) {
        return baseline_yaml_comment(out_yaml, "no claims: the event log says more than is kept");
    }
    TRY(put_claims(&capture));
    return put_absences(&capture);
}
