#include "cli/eventlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/evidence_file.h"
#include "tpm/event_claims.h"
#include "tpm/userspace_log.h"

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

/* Says which file it was. */
static ERRFN complain(const char *file, err_t e, const struct event_log_problem *problem)
{
    if (!IS_OK(e)) {
        say_problem(file, e, problem);
    }
    return e;
}

static ERRFN read_firmware(const char *file, struct eventlog *eventlog,
                           struct event_log_problem *problem)
{
    TRY(evidence_file_read(file, EVIDENCE_ANY, &eventlog->content));
    struct view content = buf_view(eventlog->content);
    err_t e = event_log_parse(content, &eventlog->log, problem);
    const char *kind = IS_OK(e) ? NULL : eventlog_other_kind(content);
    if (kind) {
        fprintf(stderr, "attestation: %s: this looks like %s\n", file, kind);
    }
    return e;
}

static ERRFN read_userspace(const char *file, struct eventlog *eventlog,
                            struct event_log_problem *problem)
{
    AUTO(buf) content = NULL;
    TRY(evidence_file_read(file, EVIDENCE_ANY, &content));
    return userspace_log_append(eventlog->log, buf_view(content), problem);
}

static ERRFN interpret(struct eventlog *eventlog)
{
    eventlog->replay = calloc(1, sizeof *eventlog->replay);
    ENSURE(eventlog->replay, NO_MEMORY);
    TRY(event_replay(eventlog->log, eventlog->replay));
    eventlog->bank = event_log_preferred_bank(eventlog->log);
    return event_claims_read(eventlog->log, eventlog->bank, &eventlog->claims);
}

ERRFN eventlog_open(const char *file, const char *userspace_file, struct eventlog *out_eventlog)
{
    struct event_log_problem problem = {.reason = ""};
    *out_eventlog = (struct eventlog){0};
    TRY(complain(file, read_firmware(file, out_eventlog, &problem), &problem));
    if (userspace_file) {
        TRY(complain(userspace_file, read_userspace(userspace_file, out_eventlog, &problem),
                     &problem));
    }
    return complain(file, interpret(out_eventlog), &problem);
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
