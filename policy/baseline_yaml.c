#include "policy/baseline_yaml.h"

#include "base/text.h"
#include "policy/reader.h"

#include <string.h>

ERRFN baseline_yaml_begin(struct buf *out, const char *name)
{
    ENSURE(name[0] && strlen(name) < POLICY_NAME_SIZE && policy_baseline_name_is_good(name),
           FIELD_INVALID);
    return buf_printf(out, "- name: \"%s\"\n  state: pending\n", name);
}

ERRFN baseline_yaml_comment(struct buf *out, const char *text)
{
    size_t len = 0;
    while (text[len] >= 0x20 && text[len] < 0x7f) {
        len++;
    }
    return buf_printf(out, "  # %.*s\n", (int)len, text);
}

ERRFN baseline_yaml_pcr(struct buf *out, const struct policy_pcr_value *value,
                        const struct policy_pcr_value *previous)
{
    bool bank = !previous || strcmp(previous->bank, value->bank) != 0;
    if (!previous) {
        TRY(buf_put_text(out, "  pcr_values:\n"));
    }
    if (bank) {
        TRY(buf_printf(out, "    %s:\n", value->bank));
    }
    if (bank || previous->index != value->index) {
        TRY(buf_printf(out, "      %u:\n", (unsigned)value->index));
    }
    TRY(buf_put_text(out, "        - \""));
    TRY(buf_put_hex(out, view_of(value->digest, value->digest_len)));
    return buf_put_text(out, "\"\n");
}

bool baseline_yaml_can_hold(struct view value)
{
    return value.len > 0 && value.len < POLICY_CLAIM_VALUE_SIZE && text_is_clean(value);
}

/* The character at the front of well-formed UTF-8. */
static uint32_t take_character(struct view *text)
{
    uint8_t first = text->data[0];
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    uint32_t character = len == 1 ? first : first & (0x7fu >> len);
    for (size_t i = 1; i < len && i < text->len; i++) {
        character = character << 6 | (text->data[i] & 0x3fu);
    }
    *text = view_of(text->data + len, text->len - len);
    return character;
}

/* Beyond ASCII by number: some characters are line ends to YAML, some it refuses. */
static ERRFN put_quoted(struct buf *out, struct view text)
{
    TRY(buf_put_u8(out, '"'));
    while (text.len > 0) {
        uint32_t character = take_character(&text);
        if (character >= 0x7f) {
            TRY(buf_printf(out, "\\U%08X", (unsigned)character));
            continue;
        }
        if (character == '"' || character == '\\') {
            TRY(buf_put_u8(out, '\\'));
        }
        TRY(buf_put_u8(out, (uint8_t)character));
    }
    return buf_put_u8(out, '"');
}

static ERRFN put_one(struct buf *out, const char *key, struct view value)
{
    TRY(buf_printf(out, "      %s: ", key));
    TRY(put_quoted(out, value));
    return buf_put_u8(out, '\n');
}

static ERRFN put_list(struct buf *out, const char *key, const struct policy_texts *values)
{
    TRY(buf_printf(out, "      %s:\n", key));
    for (size_t i = 0; i < values->count; i++) {
        TRY(buf_put_text(out, "        - "));
        TRY(put_quoted(out, values->items[i]));
        TRY(buf_put_u8(out, '\n'));
    }
    return OK;
}

ERRFN baseline_yaml_scope(struct buf *out, const struct policy_scope *scope)
{
    const struct {
        const char *key;
        const struct policy_texts *names;
    } rows[] = {{"roles", &scope->roles},
                {"clusters", &scope->clusters},
                {"manufacturers", &scope->manufacturers},
                {"models", &scope->models}};
    bool first = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].names->count > 0) {
            TRY(first ? buf_put_text(out, "  scope:\n") : OK);
            TRY(put_list(out, rows[i].key, rows[i].names));
            first = false;
        }
    }
    return OK;
}

static ERRFN put_comparison(struct buf *out, const struct policy_rule *rule)
{
    switch (rule->op) {
    case POLICY_OP_EQUALS:
        return put_one(out, "equals", rule->values.items[0]);
    case POLICY_OP_MATCHES:
        return put_one(out, "matches", rule->values.items[0]);
    case POLICY_OP_ONE_OF:
        return put_list(out, "one_of", &rule->values);
    case POLICY_OP_CONTAINS:
        return put_list(out, "contains_all", &rule->values);
    case POLICY_OP_SUBSET_OF:
        return put_list(out, "subset_of", &rule->values);
    case POLICY_OP_EXCLUDES:
        return put_list(out, "excludes", &rule->values);
    case POLICY_OP_ABSENT:
        return buf_put_text(out, "      absent: true\n");
    case POLICY_OP_AT_LEAST:
        return buf_printf(out, "      at_least: %u\n", (unsigned)rule->count);
    case POLICY_OP_NONE:
        break;
    }
    return E(BUG);
}

static ERRFN put_pcrs(struct buf *out, uint32_t mask)
{
    const char *between = "";
    TRY(buf_put_text(out, "      pcrs: ["));
    for (unsigned i = 0; i < POLICY_PCR_COUNT; i++) {
        if (mask & 1u << i) {
            TRY(buf_printf(out, "%s%u", between, i));
            between = ", ";
        }
    }
    return buf_put_text(out, "]\n");
}

ERRFN baseline_yaml_rule(struct buf *out, const struct policy_rule *rule, struct view claim,
                         const char *gate, bool first)
{
    if (first) {
        TRY(buf_put_text(out, "  claims:\n"));
    }
    TRY(buf_printf(out, "    - name: \"%s\"\n      claim: \"%.*s\"\n", rule->name, (int)claim.len,
                   (const char *)claim.data));
    TRY(put_comparison(out, rule));
    if (rule->pcrs != 0) {
        TRY(put_pcrs(out, rule->pcrs));
    }
    if (gate) {
        TRY(buf_printf(out, "      gate: \"%s\"\n", gate));
    }
    return rule->telemetry ? buf_put_text(out, "      severity: telemetry\n") : OK;
}
