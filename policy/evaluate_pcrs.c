#include "base/text.h"
#include "policy/bank.h"
#include "policy/evaluation.h"

#include <stdio.h>
#include <string.h>

static bool is_same_pcr(const struct policy_pcr_value *a, const struct policy_pcr_value *b)
{
    return a->index == b->index && strcmp(a->bank, b->bank) == 0;
}

static struct view quoted_value(const struct evaluation *e, const struct policy_pcr_value *of)
{
    size_t bank = policy_bank_index(of->bank);
    return bank < POLICY_BANKS_MAX ? e->pcrs[bank][of->index] : VIEW_EMPTY;
}

/* Values of one PCR stand together; how many from `values` on belong to it? */
static size_t run_length(const struct policy_pcr_value *values, size_t count)
{
    size_t len = 1;
    while (len < count && is_same_pcr(&values[len], values)) {
        len++;
    }
    return len;
}

static bool is_accepted(const struct policy_pcr_value *values, size_t count, struct view actual)
{
    for (size_t i = 0; i < count; i++) {
        if (view_equal(view_of(values[i].digest, values[i].digest_len), actual)) {
            return true;
        }
    }
    return false;
}

static void report(struct evaluation *e, const struct policy_pcr_value *values, size_t count,
                   struct view actual, err_t reason)
{
    struct policy_failure failure = {0};
    WRITE(failure.rule, "pcr.%s.%u", values->bank, (unsigned)values->index);
    char hex[HEX_TEXT_SIZE(POLICY_DIGEST_MAX_BYTES)];
    hex_encode(view_of(values->digest, values->digest_len), hex);
    WRITE(failure.expected, "%s", hex);
    if (count > 1) {
        WRITE(failure.expected, "%s or one of %zu other values", hex, count - 1);
    }
    WRITE(failure.actual, "no value");
    if (actual.len > 0 && actual.len <= POLICY_DIGEST_MAX_BYTES) {
        hex_encode(actual, hex);
        WRITE(failure.actual, "%s", hex);
    }
    evaluation_fail(e, &failure, reason, 0);
}

static bool is_excused(const struct evaluation *e, const struct policy_pcr_value *value)
{
    char rule[POLICY_RULE_SIZE];
    if (e->excuse_count == 0) {
        return false;
    }
    snprintf(rule, sizeof rule, "pcr.%s.%u", value->bank, (unsigned)value->index);
    return evaluation_has_excuse(e, rule);
}

size_t evaluation_look_at_pcrs(struct evaluation *e, const struct policy_pcr_value *values,
                               size_t count, enum look look, bool excuses, err_t reason)
{
    size_t differences = 0;
    size_t len;
    for (size_t i = 0; i < count; i += len) {
        struct view actual = quoted_value(e, &values[i]);
        len = run_length(&values[i], count - i);
        if (is_accepted(&values[i], len, actual)) {
            continue;
        }
        if (look == LOOK_REPORT) {
            report(e, &values[i], len, actual, reason);
        }
        differences += !(excuses && is_excused(e, &values[i]));
        if (look == LOOK_MATCH && differences > 0) {
            return differences;
        }
    }
    return differences;
}

bool evaluation_pcrs_rule_out(const struct evaluation *e, const struct policy_pcr_value *values,
                              size_t count)
{
    size_t len;
    for (size_t i = 0; i < count; i += len) {
        struct view actual = quoted_value(e, &values[i]);
        len = run_length(&values[i], count - i);
        if (actual.len > 0 && !is_accepted(&values[i], len, actual)) {
            return true;
        }
    }
    return false;
}
