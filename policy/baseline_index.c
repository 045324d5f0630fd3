#include "policy/baseline_index.h"

#include "policy/bank.h"

#include <stdlib.h>
#include <string.h>

static uint64_t prefix_of(struct view digest)
{
    uint64_t prefix = 0;
    if (digest.len >= sizeof prefix) {
        memcpy(&prefix, digest.data, sizeof prefix);
    }
    return prefix;
}

static int compare_entries(const void *left, const void *right)
{
    const struct policy_index_entry *a = left;
    const struct policy_index_entry *b = right;
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix ? -1 : 1;
    }
    return (a->baseline > b->baseline) - (a->baseline < b->baseline);
}

/* The values of one PCR in all baselines, sorted; `entries` has room for all values there are. */
static size_t gather(const struct policy *p, const char *bank, unsigned pcr,
                     struct policy_index_entry *entries)
{
    size_t count = 0;
    for (size_t i = 0; i < p->baseline_count; i++) {
        const struct policy_baseline *b = &p->baselines[i];
        for (size_t v = 0; v < b->pcr_values_count; v++) {
            const struct policy_pcr_value *value = &b->pcr_values[v];
            if (value->index == pcr && strcmp(value->bank, bank) == 0) {
                entries[count++] = (struct policy_index_entry){
                    prefix_of(view_of(value->digest, value->digest_len)), (uint16_t)i};
            }
        }
    }
    if (count > 0) {
        qsort(entries, count, sizeof *entries, compare_entries);
    }
    return count;
}

static size_t count_distinct(const struct policy_index_entry *entries, size_t count)
{
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        distinct += i == 0 || entries[i].prefix != entries[i - 1].prefix;
    }
    return distinct;
}

static void choose_pcr(const struct policy *p, struct policy_index *index)
{
    size_t best = 0;
    for (size_t bank = 0; policy_bank_names[bank]; bank++) {
        for (unsigned pcr = 0; pcr < POLICY_PCR_COUNT; pcr++) {
            size_t count = gather(p, policy_bank_names[bank], pcr, index->entries);
            size_t distinct = count_distinct(index->entries, count);
            if (distinct > best) {
                best = distinct;
                index->bank = bank;
                index->pcr = pcr;
            }
        }
    }
}

static void collect_rest(const struct policy *p, struct policy_index *index)
{
    const char *bank = policy_bank_names[index->bank];
    for (size_t i = 0; i < p->baseline_count; i++) {
        const struct policy_baseline *b = &p->baselines[i];
        bool pinned = false;
        for (size_t v = 0; v < b->pcr_values_count && !pinned; v++) {
            pinned =
                b->pcr_values[v].index == index->pcr && strcmp(b->pcr_values[v].bank, bank) == 0;
        }
        if (!pinned) {
            index->rest[index->rest_count++] = (uint16_t)i;
        }
    }
}

ERRFN baseline_index_build(struct policy *policy)
{
    struct policy_index *index = &policy->index;
    size_t values = 0;
    for (size_t i = 0; i < policy->baseline_count; i++) {
        values += policy->baselines[i].pcr_values_count;
    }
    index->entries = calloc(values + 1, sizeof *index->entries);
    index->rest = calloc(policy->baseline_count + 1, sizeof *index->rest);
    ENSURE(index->entries && index->rest, NO_MEMORY);
    choose_pcr(policy, index);
    index->entry_count = gather(policy, policy_bank_names[index->bank], index->pcr, index->entries);
    collect_rest(policy, index);
    return OK;
}

void baseline_index_free(struct policy_index *index)
{
    free(index->entries);
    free(index->rest);
    *index = (struct policy_index){0};
}

struct baseline_cursor baseline_cursor_begin(const struct policy_index *index, struct view value)
{
    struct baseline_cursor cursor = {.index = index, .prefix = prefix_of(value)};
    size_t end = index->entry_count;
    while (cursor.entry < end) {
        size_t middle = cursor.entry + (end - cursor.entry) / 2;
        if (index->entries[middle].prefix < cursor.prefix) {
            cursor.entry = middle + 1;
        } else {
            end = middle;
        }
    }
    return cursor;
}

bool baseline_cursor_next(struct baseline_cursor *cursor, size_t *out_baseline)
{
    const struct policy_index *index = cursor->index;
    bool entry = cursor->entry < index->entry_count &&
                 index->entries[cursor->entry].prefix == cursor->prefix;
    bool rest = cursor->rest < index->rest_count;
    if (!entry && !rest) {
        return false;
    }
    if (entry && (!rest || index->entries[cursor->entry].baseline < index->rest[cursor->rest])) {
        *out_baseline = index->entries[cursor->entry++].baseline;
    } else {
        *out_baseline = index->rest[cursor->rest++];
    }
    return true;
}
