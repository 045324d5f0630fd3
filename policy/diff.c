#include "policy/diff.h"

#include "policy/diff_parts.h"
#include "policy/evaluation.h"
#include "policy/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *trust_name(enum policy_trust trust)
{
    switch (trust) {
    case POLICY_TRUST_CHAIN_OR_HASH:
        return "chain_or_hash";
    case POLICY_TRUST_CHAIN:
        return "chain";
    case POLICY_TRUST_HASH:
        return "hash";
    case POLICY_TRUST_CHAIN_AND_HASH:
        return "chain_and_hash";
    case POLICY_TRUST_NONE:
        break;
    }
    return "none";
}

static ERRFN diff_bundle(struct buf *out, const char *what, const struct buf *from,
                         const struct buf *to)
{
    struct view old = from ? buf_view(from) : VIEW_EMPTY;
    struct view new = to ? buf_view(to) : VIEW_EMPTY;
    return view_equal(old, new) ? OK : buf_printf(out, "%s holds other certificates\n", what);
}

static ERRFN diff_hashes(struct buf *out, const char *what, const struct policy *list,
                         const struct policy *other)
{
    size_t at = 0;
    size_t count = 0;
    for (size_t i = 0; i < list->ek_allowed_hash_count; i++) {
        const char *hash = list->ek_allowed_hashes[i];
        while (at < other->ek_allowed_hash_count &&
               strcmp(other->ek_allowed_hashes[at], hash) < 0) {
            at++;
        }
        count +=
            at == other->ek_allowed_hash_count || strcmp(other->ek_allowed_hashes[at], hash) != 0;
    }
    return count == 0 ? OK : buf_printf(out, "ek.allowed_hashes: %zu %s\n", count, what);
}

static bool has_range(const struct policy *p, const struct policy_firmware *range)
{
    for (size_t i = 0; i < p->firmware_count; i++) {
        if (strcmp(p->firmware[i].manufacturer, range->manufacturer) == 0 &&
            p->firmware[i].min == range->min && p->firmware[i].max == range->max) {
            return true;
        }
    }
    return false;
}

static ERRFN diff_firmware(struct buf *out, const char *what, const struct policy *list,
                           const struct policy *other)
{
    for (size_t i = 0; i < list->firmware_count; i++) {
        const struct policy_firmware *range = &list->firmware[i];
        char min[24];
        char max[24];
        if (!has_range(other, range)) {
            policy_firmware_text(range->min, min, sizeof min);
            policy_firmware_text(range->max, max, sizeof max);
            TRY(buf_printf(out, "ek.firmware: %s from %s to %s %s\n",
                           range->manufacturer[0] ? range->manufacturer : "any", min, max, what));
        }
    }
    return OK;
}

static ERRFN diff_ek(struct buf *out, const struct policy *from, const struct policy *to)
{
    if (from->trust != to->trust) {
        TRY(buf_printf(out, "ek.trust goes from %s to %s\n", trust_name(from->trust),
                       trust_name(to->trust)));
    }
    if (from->certificateless != to->certificateless) {
        bool pending = to->certificateless == POLICY_CERTIFICATELESS_PENDING;
        TRY(buf_printf(out, "an EK without a certificate is now %s\n",
                       pending ? "left to an operator" : "refused"));
    }
    if (from->refuse_expired != to->refuse_expired) {
        TRY(buf_printf(out, "an expired EK certificate is now %s\n",
                       to->refuse_expired ? "refused" : "accepted"));
    }
    if (from->unauthorized != to->unauthorized) {
        TRY(buf_printf(out, "tpm_ek %s\n",
                       to->unauthorized ? "authorises no machine any more" : "authorises again"));
    }
    TRY(diff_bundle(out, "ek.roots", from->ek_roots, to->ek_roots));
    TRY(diff_bundle(out, "ek.intermediates", from->ek_intermediates, to->ek_intermediates));
    if (from->ek_roots_only != to->ek_roots_only) {
        TRY(buf_printf(out, "roots configured elsewhere %s\n",
                       to->ek_roots_only ? "do not count any more" : "count as well"));
    }
    TRY(diff_hashes(out, "added", to, from));
    TRY(diff_hashes(out, "removed", from, to));
    TRY(diff_firmware(out, "added", to, from));
    TRY(diff_firmware(out, "removed", from, to));
    TRY(diff_texts(out, "ek.manufacturers", &from->manufacturers, &to->manufacturers));
    return from->manufacturers.count > 0 && to->manufacturers.count == 0
               ? buf_put_text(out, "ek.manufacturers: any is accepted now\n")
               : OK;
}

static bool has_ak_key(const struct policy *p, const char *key)
{
    for (size_t i = 0; i < p->ak_keys_count; i++) {
        if (strcmp(p->ak_keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static ERRFN diff_ak(struct buf *out, const char *what, const struct policy *list,
                     const struct policy *other)
{
    for (size_t i = 0; i < list->ak_keys_count; i++) {
        if (!has_ak_key(other, list->ak_keys[i])) {
            TRY(buf_printf(out, "ak.keys: %s %s\n", list->ak_keys[i], what));
        }
    }
    return OK;
}

static uint32_t selected_in(const struct policy *p, const char *bank)
{
    for (size_t i = 0; i < p->pcr_selection_count; i++) {
        if (strcmp(p->pcr_selection[i].bank, bank) == 0) {
            return p->pcr_selection[i].mask;
        }
    }
    return 0;
}

static ERRFN diff_selection(struct buf *out, const char *what, const struct policy *list,
                            const struct policy *other)
{
    for (size_t i = 0; i < list->pcr_selection_count; i++) {
        const struct policy_bank *row = &list->pcr_selection[i];
        uint32_t mask = row->mask & ~selected_in(other, row->bank);
        char text[POLICY_VALUE_SIZE];
        if (mask != 0) {
            evaluation_list_pcrs(mask, text, sizeof text);
            TRY(buf_printf(out, "quote.pcr_selection: %s of %s %s\n", text, row->bank, what));
        }
    }
    return OK;
}

static ERRFN diff_quote(struct buf *out, const struct policy *from, const struct policy *to)
{
    if (from->require_quote != to->require_quote) {
        TRY(buf_printf(out, "a quote is %s\n",
                       to->require_quote ? "required now" : "optional now"));
    }
    TRY(diff_selection(out, "added", to, from));
    TRY(diff_selection(out, "removed", from, to));
    return diff_pcr_values(out, "quote.pcr_values",
                           (struct diff_values){from->pcr_values, from->pcr_values_count},
                           (struct diff_values){to->pcr_values, to->pcr_values_count});
}

static ERRFN diff_event_log(struct buf *out, const struct policy *from, const struct policy *to)
{
    if (from->require_event_log != to->require_event_log) {
        TRY(buf_printf(out, "an event log is %s\n",
                       to->require_event_log ? "required now" : "optional now"));
    }
    if (from->must_replay != to->must_replay) {
        char list[POLICY_VALUE_SIZE] = "each quoted PCR that it extends";
        if (to->must_replay != 0) {
            evaluation_list_pcrs(to->must_replay, list, sizeof list);
        }
        TRY(buf_printf(out, "the event log must now replay to %s\n", list));
    }
    return diff_rules(out, "event_log", (struct diff_rules){from, &from->rules},
                      (struct diff_rules){to, &to->rules});
}

static ERRFN diff_evidence(struct buf *out, const struct policy *from, const struct policy *to)
{
    if (from->max_age_ms != to->max_age_ms) {
        TRY(buf_printf(out, "evidence.max_age goes from %llu to %llu seconds\n",
                       (unsigned long long)(from->max_age_ms / 1000),
                       (unsigned long long)(to->max_age_ms / 1000)));
    }
    return from->reattest_every_ms == to->reattest_every_ms
               ? OK
               : buf_printf(out, "evidence.reattest_every goes from %llu to %llu seconds\n",
                            (unsigned long long)(from->reattest_every_ms / 1000),
                            (unsigned long long)(to->reattest_every_ms / 1000));
}

ERRFN policy_diff(const struct policy *from, const struct policy *to, struct buf *out_lines)
{
    TRY(diff_scopes(out_lines, "scope", &from->scope, &to->scope));
    TRY(diff_ek(out_lines, from, to));
    TRY(diff_ak(out_lines, "added", to, from));
    TRY(diff_ak(out_lines, "removed", from, to));
    TRY(diff_quote(out_lines, from, to));
    TRY(diff_event_log(out_lines, from, to));
    TRY(diff_baselines(out_lines, from, to));
    TRY(diff_exceptions(out_lines, from, to));
    TRY(diff_gates(out_lines, from, to));
    return diff_evidence(out_lines, from, to);
}
