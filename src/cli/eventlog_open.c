#include "cli/eventlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/evidence_file.h"
#include "tpm/event_claims.h"

static void say_problem(const char *file, err_t e, const struct event_log_problem *problem)
{
    if (IS_E(e, EVENT_LOG_UNREADABLE) && problem->needed > 0) {
        fprintf(stderr,
                "attestation: %s: byte offset %zu, event %zu: %s (needs %" PRIu64
                " bytes, %zu left) [%s]\n",
                file, problem->offset, problem->event, problem->reason, problem->needed,
                problem->left, err_reason(e));
    } else if (IS_E(e, EVENT_LOG_UNREADABLE)) {
        fprintf(stderr, "attestation: %s: byte offset %zu, event %zu: %s [%s]\n", file,
                problem->offset, problem->event, problem->reason, err_reason(e));
    } else if (IS_E(e, CONFIG_UNREADABLE)) {
        fprintf(stderr, "attestation: %s: the file cannot be read [file_unreadable]\n", file);
    } else {
        fprintf(stderr, "attestation: %s: %s [%s]\n", file, err_text(e), err_reason(e));
    }
}

static ERRFN interpret(struct eventlog *eventlog, struct event_log_problem *problem)
{
    TRY(event_log_parse(buf_view(eventlog->content), &eventlog->log, problem));
    eventlog->replay = calloc(1, sizeof *eventlog->replay);
    ENSURE(eventlog->replay, NO_MEMORY);
    TRY(event_replay(eventlog->log, eventlog->replay));
    eventlog->bank = event_log_preferred_bank(eventlog->log);
    return event_claims_read(eventlog->log, eventlog->bank, &eventlog->claims);
}

ERRFN eventlog_open(const char *file, struct eventlog *out_eventlog)
{
    struct event_log_problem problem = {.reason = ""};
    *out_eventlog = (struct eventlog){0};
    err_t e = evidence_file_read(file, EVIDENCE_ANY, &out_eventlog->content);
    e = IS_OK(e) ? interpret(out_eventlog, &problem) : e;
    if (!IS_OK(e)) {
        say_problem(file, e, &problem);
    }
    return e;
}

enum exit_status eventlog_failed(err_t e)
{
    fprintf(stderr, "attestation: %s [%s]\n", err_text(e), err_reason(e));
    return EXIT_UNREADABLE;
}

void eventlog_close(struct eventlog *eventlog)
{
    claims_free(eventlog->claims);
    free(eventlog->replay);
    event_log_free(eventlog->log);
    buf_free(eventlog->content);
    *eventlog = (struct eventlog){0};
}
