/* machine explain: for whoever is woken up by a machine that does not pass. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/machine_lookup.h"
#include "cli/machine_view.h"
#include "cli/print.h"
#include "cli/table.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct table_column head_columns[] = {
    {"Machine", "machine_id", 0}, {"Status", "status", 0},           {"Stale", "stale", 0},   {"Last evidence", "evidence_at", 0},
    {"Said then", "verdict_then", 0}, {"Says now", "verdict", 0}, {"Reason", "reason", 0}, {"Baseline", "baseline", 0},
    {"Note", "note", 0},
};

static const struct table_column failure_columns[] = {
    {"RULE", "rule", 32}, {"EXPECTED", "expected", 48}, {"ACTUAL", "actual", 48}, {"GATE", "gate", 16}, {"TELEMETRY", "telemetry", 0}, {"EXCUSED", "excused", 0},
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void print_verdicts(const json_t *answer)
{
    const json_t *verdicts = json_object_get(answer, "verdicts");
    const json_t *policy = json_object_get(answer, "policy");
    printf("\nEK chain: %s    event log replays: %s    policy: %s (%s, version %lld)\n", text_of(verdicts, "chain"),
           text_of(verdicts, "replay"), text_of(verdicts, "policy"), text_of(policy, "name"),
           (long long)json_integer_value(json_object_get(policy, "version")));
}

static void print_differences(const json_t *differences)
{
    if (json_array_size(differences) == 0) {
        return;
    }
    puts("\nNot as in the last boot that was accepted:");
    for (size_t i = 0; i < json_array_size(differences); i++) {
        const json_t *row = json_array_get(differences, i);
        const json_t *pcr = json_object_get(row, "pcr");
        if (json_is_integer(pcr)) {
            printf("  PCR %lld: ", (long long)json_integer_value(pcr));
        } else {
            printf("  ");
        }
        puts(text_of(row, "text"));
    }
}

static void print_advice(const json_t *advice)
{
    puts("\nWhat to do:");
    for (size_t i = 0; i < json_array_size(advice); i++) {
        printf("  %s\n", json_string_value(json_array_get(advice, i)));
    }
}

err_t machine_explain(struct session *session, const struct options *options)
{
    AUTO(json) machine = NULL;
    AUTO(json) answer = NULL;
    const char *id;
    char target[96];
    TRY(machine_lookup(session, options->arguments[2], &machine));
    TRY(json_get_text(machine, "machine_id", MACHINE_ID_CHARS, &id));
    snprintf(target, sizeof target, "/api/v1/machines/%s/explain", id);
    TRY(session_get_object(session, target, &answer));
    if (options->output == OUTPUT_JSON) {
        return print_json(answer);
    }
    table_print_object(stdout, head_columns, COUNT(head_columns), answer);
    machine_print_eks(answer);
    print_verdicts(answer);
    const json_t *failures = json_object_get(answer, "failures");
    if (json_array_size(failures) > 0) {
        puts("");
        table_print(stdout, failure_columns, COUNT(failure_columns), failures);
    }
    print_differences(json_object_get(answer, "differences"));
    print_advice(json_object_get(answer, "advice"));
    return OK;
}
