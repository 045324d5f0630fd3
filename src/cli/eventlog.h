/* `attestation evidence eventlog` and `attestation evidence diff`: firmware event logs on an
 * engineer's desk, without an appliance. */
#ifndef ITL_CLI_EVENTLOG_H
#define ITL_CLI_EVENTLOG_H

#include "cli/command.h"
#include "https/json.h"
#include "tpm/claims.h"
#include "tpm/event_log.h"
#include "tpm/event_replay.h"

/* A log with everything that is said about it. */
struct eventlog {
    struct buf *content;
    struct event_log *log;
    struct event_replay *replay;
    struct claims *claims;
    uint16_t bank; /* claims are proved in */
};

/* Reads and interprets FILE, as evidence_file_read takes it, and what userspace logged after it
 * (NULL: nothing). Says on standard error why it can't. Close what was opened, and what was not.
 * Errors: CONFIG_UNREADABLE, EVENT_LOG_UNREADABLE, TOO_LONG, NO_MEMORY, CRYPTO, IO. */
ERRFN eventlog_open(const char *file, const char *userspace_file, struct eventlog *out_eventlog);
void eventlog_close(struct eventlog *eventlog);

/* What content that is no event log looks like, a sentence fragment that says what to do; NULL when
 * it looks like nothing known here. */
const char *eventlog_other_kind(struct view content);

/* Says an error on standard error; EXIT_UNREADABLE. */
enum exit_status eventlog_failed(err_t e);

/* {"format", "cc"?, "banks": {"sha256": {"0": hex}}, "events": […], "claims": {…}, "warnings": […],
 * …}. Errors: NO_MEMORY, CRYPTO. */
ERRFN eventlog_json(const struct eventlog *eventlog, json_t **out_object);

/* The same for people. */
void eventlog_print(const struct eventlog *eventlog);

/* The commands. */
enum exit_status evidence_eventlog(const struct options *options);
enum exit_status evidence_diff(const struct options *options);

#endif
