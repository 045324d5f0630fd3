#include "cli/eventlog.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "tpm/event_claims.h"

enum {
    FILE_MAX_BYTES = EVENT_LOG_MAX_BYTES * 2 + (EVENT_LOG_MAX_BYTES >> 3)
}; /* in hexadecimal, with line breaks */

/* Text without its white space; a binary log has zero bytes in its first event already. Empty when
 * it is none. */
static ERRFN read_text(struct view content, struct buf **out_text)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(content.len, &text));
    for (size_t i = 0; i < content.len; i++) {
        if (isspace(content.data[i])) {
            continue;
        }
        if (!isgraph(content.data[i])) {
            buf_truncate(text, 0);
            break;
        }
        TRY(buf_put_u8(text, content.data[i]));
    }
    *out_text = STEAL(text);
    return OK;
}

static bool is_hexadecimal(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isxdigit(text.data[i])) {
            return false;
        }
    }
    return text.len > 0 && text.len % 2 == 0;
}

/* Replaces the content by what it encodes, if it is hexadecimal or base64 text; anything else is
 * left for the parser to judge. */
static ERRFN unwrap(struct buf **content)
{
    AUTO(buf) text = NULL;
    AUTO(buf) bytes = NULL;
    uint8_t *at;
    TRY(read_text(buf_view(*content), &text));
    TRY(buf_new(text->len, &bytes));
    if (text->len == 0) {
        return OK;
    }
    if (is_hexadecimal(buf_view(text))) {
        TRY(buf_extend(bytes, text->len / 2, &at));
        TRY(hex_decode(buf_view(text), at, text->len / 2));
    } else if (!IS_OK(base64_decode(buf_view(text), bytes)) &&
               !IS_OK(base64url_decode(buf_view(text), bytes))) {
        return OK;
    }
    buf_free(*content);
    *content = STEAL(bytes);
    return OK;
}

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
    TRY(unwrap(&eventlog->content));
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
    err_t e = fd_read_file(strcmp(file, "-") == 0 ? "/dev/stdin" : file, FILE_MAX_BYTES,
                           &out_eventlog->content);
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
