/* Whose machine it is: rules that hold in every mode, and the firmware of its TPM. */
#include "policy/evaluation.h"
#include "policy/glob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A certificate that leads nowhere may say anything of itself. */
static const char *certified(const struct policy_facts *f, const char *attribute)
{
    return f->ek_has_certificate && f->ek_chain_trusted ? attribute : NULL;
}

/* What is not known is named by no list, or by any: `unknown` says. */
static bool names_it(const struct policy_texts *names, const char *name, bool any_case,
                     bool unknown)
{
    for (size_t i = 0; name && i < names->count; i++) {
        if (any_case ? policy_glob_matches_any_case(names->items[i], view_text(name))
                     : policy_glob_matches(names->items[i], view_text(name))) {
            return true;
        }
    }
    return names->count == 0 || (!name && unknown);
}

bool evaluation_in_scope(const struct evaluation *e, const struct policy_scope *scope, bool unknown)
{
    const struct policy_facts *f = e->facts;
    return names_it(&scope->roles, f->role, false, unknown) &&
           names_it(&scope->clusters, f->cluster, false, unknown) &&
           names_it(&scope->manufacturers, certified(f, f->ek_manufacturer), true, unknown) &&
           names_it(&scope->models, certified(f, f->ek_model), false, unknown);
}

static void append(char *text, size_t size, const char *label, const char *value)
{
    char clean[POLICY_NAME_SIZE];
    size_t at = strlen(text);
    evaluation_clean_text(view_text(value ? value : "not known"), clean, sizeof clean);
    snprintf(text + at, size - at, "%s%s %s", at > 0 ? ", " : "", label, clean);
}

void evaluation_report_scope(struct evaluation *e)
{
    const struct policy_scope *scope = &e->policy->scope;
    const struct policy_facts *f = e->facts;
    struct policy_failure failure = {.rule = "policy.scope",
                                     .expected = "a machine that the policy's scope covers"};
    const struct {
        const struct policy_texts *names;
        const char *label;
        const char *value;
    } rows[] = {
        {&scope->roles, "role", f->role},
        {&scope->clusters, "cluster", f->cluster},
        {&scope->manufacturers, "manufacturer", certified(f, f->ek_manufacturer)},
        {&scope->models, "model", certified(f, f->ek_model)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].names->count > 0) {
            append(failure.actual, sizeof failure.actual, rows[i].label, rows[i].value);
        }
    }
    evaluation_fail_identity(e, &failure, E(POLICY_NOT_FOUND), false);
}

static int compare_hash(const void *key, const void *row)
{
    return strcmp(key, row);
}

static bool has_hash(const struct policy *p, const char *hash)
{
    return hash && p->ek_allowed_hash_count > 0 &&
           bsearch(hash, p->ek_allowed_hashes, p->ek_allowed_hash_count,
                   sizeof *p->ek_allowed_hashes, compare_hash);
}

static bool is_hash_allowed(const struct policy *p, const struct policy_facts *f)
{
    return f->ek_hash_allowed || has_hash(p, f->ek_public_hash) || has_hash(p, f->ek_fingerprint);
}

static bool is_ek_trusted(const struct policy *p, const struct policy_facts *f)
{
    bool chain = f->ek_has_certificate && f->ek_chain_trusted;
    bool hash = is_hash_allowed(p, f);
    if (!f->ek_has_certificate && p->certificateless == POLICY_CERTIFICATELESS_PENDING) {
        return true; /* an operator decides, knowingly */
    }
    switch (p->trust) {
    case POLICY_TRUST_CHAIN_OR_HASH:
        return chain || hash;
    case POLICY_TRUST_CHAIN:
        return chain;
    case POLICY_TRUST_HASH:
        return hash;
    case POLICY_TRUST_CHAIN_AND_HASH:
        return chain && hash;
    case POLICY_TRUST_NONE:
        break;
    }
    return false;
}

static const char *expected_trust(enum policy_trust trust)
{
    switch (trust) {
    case POLICY_TRUST_CHAIN_OR_HASH:
        return "a certificate that leads to a trusted root, or an allowed hash";
    case POLICY_TRUST_CHAIN:
        return "a certificate that leads to a trusted root";
    case POLICY_TRUST_HASH:
        return "an allowed hash";
    case POLICY_TRUST_CHAIN_AND_HASH:
        return "a certificate that leads to a trusted root, and an allowed hash";
    case POLICY_TRUST_NONE:
        break;
    }
    return "a rule that says what is trusted";
}

static void check_trust(struct evaluation *e)
{
    const struct policy_facts *f = e->facts;
    if (is_ek_trusted(e->policy, f)) {
        return;
    }
    struct policy_failure failure = {.rule = "ek.trust"};
    const char *certificate = !f->ek_has_certificate ? "no certificate"
                              : f->ek_chain_trusted  ? "a trusted certificate"
                                                     : "a certificate that is not trusted";
    WRITE(failure.expected, "%s", expected_trust(e->policy->trust));
    WRITE(failure.actual, "%s, hash %s", certificate,
          is_hash_allowed(e->policy, f) ? "allowed" : "not allowed");
    evaluation_fail_identity(e, &failure, IS_OK(f->ek_reason) ? E(EK_NOT_TRUSTED) : f->ek_reason,
                             false);
}

static void check_expired(struct evaluation *e)
{
    if (e->policy->refuse_expired && e->facts->ek_expired) {
        struct policy_failure failure = {.rule = "ek.expired",
                                         .expected = "an EK certificate that has not expired",
                                         .actual = "it has expired"};
        evaluation_fail_identity(e, &failure, E(EK_EXPIRED), true);
    }
}

static void check_attestors(struct evaluation *e)
{
    if (e->policy->unauthorized) {
        struct policy_failure failure = {
            .rule = "policy.attestors",
            .expected = "a policy that asks for tpm_ek alone",
            .actual = "each policy requires another attestor as well, or instead"};
        evaluation_fail_identity(e, &failure, E(NO_POLICY), false);
    }
}

static void check_manufacturer(struct evaluation *e)
{
    const struct policy_texts *names = &e->policy->manufacturers;
    const char *actual = certified(e->facts, e->facts->ek_manufacturer);
    if (names_it(names, actual, true, false)) {
        return;
    }
    struct policy_failure failure = {.rule = "ek.manufacturer"};
    evaluation_clean_text(names->items[0], failure.expected, sizeof failure.expected);
    if (names->count > 1) {
        size_t at = strlen(failure.expected);
        snprintf(failure.expected + at, sizeof failure.expected - at, " or one of %zu others",
                 names->count - 1);
    }
    evaluation_clean_text(view_text(actual ? actual : "not known"), failure.actual,
                          sizeof failure.actual);
    evaluation_fail_identity(e, &failure, E(EK_POLICY), true);
}

static void join_ak_keys(const struct policy *p, char *out_text, size_t size)
{
    out_text[0] = '\0';
    for (size_t i = 0; i < p->ak_keys_count; i++) {
        size_t at = strlen(out_text);
        snprintf(out_text + at, size - at, "%s%s", i > 0 ? ", " : "", p->ak_keys[i]);
    }
}

static void check_ak(struct evaluation *e)
{
    const struct policy *p = e->policy;
    const char *actual = e->facts->ak_key;
    for (size_t i = 0; actual && i < p->ak_keys_count; i++) {
        if (strcmp(actual, p->ak_keys[i]) == 0) {
            return;
        }
    }
    struct policy_failure failure = {.rule = "ak.key"};
    join_ak_keys(p, failure.expected, sizeof failure.expected);
    evaluation_clean_text(view_text(actual ? actual : "none"), failure.actual,
                          sizeof failure.actual);
    evaluation_fail_identity(e, &failure, actual ? E(AK_ALGORITHM) : E(AK_UNKNOWN), false);
}

static void check_quote(struct evaluation *e)
{
    if (e->facts->quoted || !e->policy->require_quote) {
        return;
    }
    struct policy_failure failure = {
        .rule = "quote.required", .expected = "a quote", .actual = "none"};
    evaluation_fail_identity(e, &failure, E(QUOTE_MISSING), false);
}

void evaluation_check_identity(struct evaluation *e)
{
    struct policy_verdict *v = e->verdict;
    v->chain.outcome = POLICY_OUTCOME_PASS;
    e->part = &v->chain;
    check_trust(e);
    check_expired(e);
    e->part = &v->policy;
    check_attestors(e);
    check_manufacturer(e);
    check_ak(e);
    check_quote(e);
}
