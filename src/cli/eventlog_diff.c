#include "cli/eventlog.h"

#include <stdio.h>

#include "cli/print.h"
#include "tpm/event_diff.h"

static const char *kind_words(enum event_change_kind kind)
{
    switch (kind) {
    case EVENT_CHANGE_NONE:
        break;
    case EVENT_ADDED:
        return "added";
    case EVENT_REMOVED:
        return "removed";
    case EVENT_CHANGED:
        return "changed";
    }
    return "same";
}

static json_t *meaning_json(const struct event_diff *diff)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < diff->meaning->count; i++) {
        json_array_append_new(list, json_pack("{s:s, s:s}", "claim", diff->meaning->items[i].name,
                                              "text", diff->meaning->items[i].value));
    }
    return list;
}

static json_t *changes_json(const struct event_log *log, const struct event_diff *diff)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < diff->count; i++) {
        const struct event_change *c = &diff->changes[i];
        char name[EVENT_REGISTER_NAME_SIZE];
        event_register_name(log, c->pcr, name);
        json_t *object = json_pack("{s:s, s:s, s:s}", "pcr", name, "change", kind_words(c->kind),
                                   "event", c->text);
        if (object && c->kind != EVENT_ADDED) {
            json_object_set_new(object, "index_a", json_integer((json_int_t)c->event_a));
        }
        if (object && c->kind != EVENT_REMOVED) {
            json_object_set_new(object, "index_b", json_integer((json_int_t)c->event_b));
        }
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *pcrs_json(const struct event_log *log, const struct event_diff *diff)
{
    json_t *list = json_array();
    for (uint32_t pcr = 0; list && pcr < PCR_COUNT; pcr++) {
        char name[EVENT_REGISTER_NAME_SIZE];
        if (diff->pcrs >> pcr & 1) {
            event_register_name(log, pcr, name);
            json_array_append_new(list, json_string(name));
        }
    }
    return list;
}

static err_t print_diff_json(const struct event_log *log, const struct event_diff *diff)
{
    AUTO(json) object = json_object();
    const struct event_bank *bank = event_bank_of(diff->bank);
    ENSURE(object &&
               json_object_set_new(object, "same", json_boolean(event_diff_empty(diff))) == 0 &&
               json_object_set_new(object, "bank", json_string(bank->name)) == 0 &&
               json_object_set_new(object, "meaning", meaning_json(diff)) == 0 &&
               json_object_set_new(object, "pcrs", pcrs_json(log, diff)) == 0 &&
               json_object_set_new(object, "events", changes_json(log, diff)) == 0 &&
               json_object_set_new(object, "events_not_shown",
                                   json_integer((json_int_t)diff->dropped)) == 0,
           NO_MEMORY);
    return print_json(object);
}

static void print_diff(const struct event_log *log, const struct event_diff *diff)
{
    char name[EVENT_REGISTER_NAME_SIZE];
    if (event_diff_empty(diff)) {
        printf("The two logs say the same.\n");
        return;
    }
    printf("What changed\n");
    for (size_t i = 0; i < diff->meaning->count; i++) {
        printf("  %s\n", diff->meaning->items[i].value);
    }
    if (diff->meaning->count == 0) {
        printf("  Nothing that has a name here: firmware data, tables or counters.\n");
    }
    printf("\n%s values that differ (%s):", log->cc ? "Register" : "PCR",
           event_bank_of(diff->bank)->name);
    for (uint32_t pcr = 0; pcr < PCR_COUNT; pcr++) {
        if (diff->pcrs >> pcr & 1) {
            event_register_name(log, pcr, name);
            printf(" %s", name);
        }
    }
    printf("%s\n\nEvents\n", diff->pcrs ? "" : " none");
    for (size_t i = 0; i < diff->count; i++) {
        const struct event_change *c = &diff->changes[i];
        event_register_name(log, c->pcr, name);
        printf("  %s%s  %-7s  %s\n", log->cc ? "" : "PCR ", name, kind_words(c->kind), c->text);
    }
    if (diff->dropped > 0) {
        printf("  … and %zu more\n", diff->dropped);
    }
}

static enum exit_status show_diff(const struct eventlog *a, const struct eventlog *b,
                                  const struct options *options)
{
    AUTO(event_diff) diff = NULL;
    err_t e = event_diff(a->log, b->log, &diff);
    if (IS_E(e, EVENT_LOG_UNREADABLE)) {
        fprintf(stderr, "attestation: the two logs have no hash algorithm in common\n");
        return EXIT_UNREADABLE;
    }
    if (IS_OK(e) && options->output == OUTPUT_JSON) {
        e = print_diff_json(a->log, diff);
    } else if (IS_OK(e)) {
        print_diff(a->log, diff);
    }
    if (!IS_OK(e)) {
        return eventlog_failed(e);
    }
    return event_diff_empty(diff) ? EXIT_DONE : EXIT_REFUSED;
}

enum exit_status evidence_diff(const struct options *options)
{
    struct eventlog a;
    struct eventlog b = {0};
    err_t e = eventlog_open(options->arguments[2], NULL, &a);
    e = IS_OK(e) ? eventlog_open(options->arguments[3], NULL, &b) : e;
    enum exit_status status = IS_OK(e) ? show_diff(&a, &b, options) : EXIT_UNREADABLE;
    eventlog_close(&a);
    eventlog_close(&b);
    return status;
}
