/* Golden measurements: capture, simulate, predict. */
#include "policy/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/machine_lookup.h"
#include "cli/policy_text.h"
#include "cli/print.h"
#include "cli/table.h"

enum { YAML_MAX_BYTES = 1 << 20, SIMULATE_PAGE = 20, TARGET_SIZE = 256 };

/* -- capture ------------------------------------------------------------------------------------ */

static bool is_word(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t len = strlen(text);
    return len > 0 && len < POLICY_NAME_SIZE && strspn(text, allowed) == len;
}

err_t policy_capture_baseline(struct session *session, const struct options *options)
{
    AUTO(json) machine = NULL;
    AUTO(json) answer = NULL;
    const char *id;
    char target[TARGET_SIZE];
    char name[POLICY_NAME_SIZE];
    TRY(machine_lookup(session, options->machine, &machine));
    TRY(json_get_text(machine, "machine_id", MACHINE_ID_CHARS, &id));
    snprintf(name, sizeof name, "captured-%.8s", id);
    ENSURE(!options->name || is_word(options->name), FIELD_INVALID);
    snprintf(target, sizeof target, "/api/v1/machines/%s/baseline?name=%s", id, options->name ? options->name : name);
    TRY(session_get_object(session, target, &answer));
    if (options->output == OUTPUT_JSON) {
        return print_json(answer);
    }
    const char *yaml = json_string_value(json_object_get(answer, "baseline"));
    ENSURE(yaml, ANSWER_INVALID);
    ENSURE(fputs(yaml, stdout) >= 0, IO);
    return OK;
}

/* -- simulate ----------------------------------------------------------------------------------- */

static const struct table_column simulation_columns[] = {
    {"MACHINE", "machine_id", 8}, {"HOSTNAME", "hostname", 24}, {"NOW", "now", 0},          {"THEN", "then", 0},
    {"BASELINE", "baseline", 24}, {"RULE", "rule", 32},         {"EXPECTED", "expected", 40}, {"ACTUAL", "actual", 40},
};

static ERRFN add_page(struct session *session, const char *number, json_t *list, const char **after, bool *out_more)
{
    AUTO(json) page = NULL;
    char target[TARGET_SIZE];
    snprintf(target, sizeof target, "/api/v1/policies/%.18s/simulate?limit=%d%s%s", number, SIMULATE_PAGE, *after ? "&after=" : "",
             *after ? *after : "");
    TRY(session_get_list(session, target, &page));
    size_t rows = json_array_size(page);
    *out_more = rows >= SIMULATE_PAGE;
    if (rows > 0) {
        const json_t *last = json_array_get(page, rows - 1);
        ENSURE(IS_OK(json_get_text(last, "machine_id", MACHINE_ID_CHARS, after)) && is_word(*after), ANSWER_INVALID);
        ENSURE(json_array_extend(list, page) == 0, NO_MEMORY);
    }
    return OK;
}

static size_t count_of(const json_t *list, const char *field, const char *value)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_object_get(json_array_get(list, i), field));
        count += text && strcmp(text, value) == 0;
    }
    return count;
}

static size_t changes_in(const json_t *list)
{
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        count += !json_equal(json_object_get(row, "now"), json_object_get(row, "then"));
    }
    return count;
}

err_t policy_simulate(struct session *session, const struct options *options)
{
    AUTO(json) list = json_array();
    ENSURE(list, NO_MEMORY);
    ENSURE(is_word(options->arguments[2]), POLICY_VERSION);
    const char *after = NULL;
    bool more = true;
    for (size_t pages = 0; more; pages++) {
        ENSURE(pages < MACHINE_PAGES_MAX, TOO_LONG);
        TRY(add_page(session, options->arguments[2], list, &after, &more));
    }
    if (options->output == OUTPUT_JSON) {
        return print_json(list);
    }
    table_print(stdout, simulation_columns, sizeof simulation_columns / sizeof simulation_columns[0], list);
    printf("%zu machines: %zu would pass, %zu would fail, %zu would change, %zu have proved nothing yet.\n", json_array_size(list),
           count_of(list, "then", "pass") + count_of(list, "then", "telemetry"), count_of(list, "then", "fail"), changes_in(list),
           count_of(list, "then", "not_evaluated"));
    return OK;
}

/* -- predict ------------------------------------------------------------------------------------ */

/* What the build says, in the form that policy takes; texts point into the options. */
struct update {
    struct policy_update update;
    struct policy_pcr pcrs[OPTIONS_VALUES_MAX];
    uint8_t digests[OPTIONS_VALUES_MAX][POLICY_DIGEST_MAX_BYTES];
    char banks[OPTIONS_VALUES_MAX][8];
    struct policy_claim claims[OPTIONS_VALUES_MAX];
    char names[OPTIONS_VALUES_MAX][POLICY_NAME_SIZE];
};

/* "sha256:11=HEX". */
static ERRFN add_pcr(struct update *u, const char *text)
{
    size_t at = u->update.pcr_count;
    unsigned index;
    int digits = 0;
    ENSURE(sscanf(text, "%7[a-z0-9]:%2u=%n", u->banks[at], &index, &digits) == 2 && digits > 0, FIELD_INVALID);
    struct view hex = view_text(text + digits);
    ENSURE(hex.len > 0 && hex.len % 2 == 0 && hex.len / 2 <= POLICY_DIGEST_MAX_BYTES && index < POLICY_PCR_COUNT, FIELD_INVALID);
    TRY(hex_decode(hex, u->digests[at], hex.len / 2));
    u->pcrs[at] = (struct policy_pcr){
        .bank = u->banks[at], .index = (uint8_t)index, .digest = view_of(u->digests[at], hex.len / 2)};
    u->update.pcr_count++;
    return OK;
}

static ERRFN add_claim(struct update *u, const char *text)
{
    size_t at = u->update.claim_count;
    const char *equals = strchr(text, '=');
    ENSURE(equals && equals > text && (size_t)(equals - text) < sizeof u->names[0], FIELD_INVALID);
    memcpy(u->names[at], text, (size_t)(equals - text));
    u->claims[at] = (struct policy_claim){.name = u->names[at], .value = view_text(equals + 1)};
    u->update.claim_count++;
    return OK;
}

static ERRFN read_update(const struct options *options, struct update *out_update)
{
    out_update->update.pcrs = out_update->pcrs;
    out_update->update.claims = out_update->claims;
    for (int i = 0; i < options->pcr_count; i++) {
        TRY(add_pcr(out_update, options->pcr[i]));
    }
    for (int i = 0; i < options->claim_count; i++) {
        TRY(add_claim(out_update, options->claim[i]));
    }
    return OK;
}

static const struct policy_baseline *find_baseline(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->baseline_count; i++) {
        if (strcmp(policy->baselines[i].name, name) == 0) {
            return &policy->baselines[i];
        }
    }
    return NULL;
}

static ERRFN predict(const struct options *options, const struct policy *policy, struct buf *out_yaml, struct buf *out_said)
{
    static struct update update;
    const struct policy_baseline *baseline = find_baseline(policy, options->arguments[3]);
    ENSURE(baseline, NOT_FOUND);
    TRY(read_update(options, &update));
    return policy_predict(policy, baseline, &update.update, options->name, out_yaml, out_said);
}

enum exit_status policy_predict_baseline(const struct options *options)
{
    AUTO(policy) policy = NULL;
    AUTO(buf) yaml = NULL;
    AUTO(buf) said = NULL;
    if (!IS_OK(policy_text_read(options->arguments[2], &policy, NULL))) {
        return EXIT_UNREADABLE;
    }
    if (!IS_OK(buf_new(YAML_MAX_BYTES, &yaml)) || !IS_OK(buf_new(YAML_MAX_BYTES, &said))) {
        return EXIT_REFUSED;
    }
    err_t predicted = predict(options, policy, yaml, said);
    if (!IS_OK(predicted)) {
        fprintf(stderr, "attestation: %s: %s [%s]\n", options->arguments[3], err_text(predicted), err_reason(predicted));
        return EXIT_REFUSED;
    }
    fwrite(said->data, 1, said->len, stderr);
    return fwrite(yaml->data, 1, yaml->len, stdout) == yaml->len ? EXIT_DONE : EXIT_REFUSED;
}
