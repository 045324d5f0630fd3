#include "node/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "https/json.h"

enum { LINE_MAX_BYTES = 1024 };

void progress_begin(struct progress *progress)
{
    progress->step_began_ms = clock_monotonic_ms();
}

static uint64_t step_ms(struct progress *progress)
{
    uint64_t now = clock_monotonic_ms();
    uint64_t ms = progress->step_began_ms ? now - progress->step_began_ms : 0;
    progress->step_began_ms = now;
    return ms;
}

static void write_json(const char *event, const char *reason, const char *text, uint64_t ms)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(clock_utc_ms(), time);
    AUTO(json)
    line = json_pack("{s:s, s:s, s:s, s:I}", "time", time, "event", event, "text", text, "ms",
                     (json_int_t)ms);
    if (line && reason) {
        IGNORE_ERR(json_set_text(line, "reason", reason));
    }
    AUTO(buf) out = NULL;
    if (line && IS_OK(json_write(line, 0, 2 * LINE_MAX_BYTES, &out))) {
        fprintf(stderr, "%.*s\n", (int)out->len, (const char *)out->data);
    }
}

static void write_line(struct progress *progress, const char *event, const char *reason,
                       const char *text)
{
    uint64_t ms = step_ms(progress);
    if (progress->json) {
        write_json(event, reason, text, ms);
    } else if (ms > 0) {
        fprintf(stderr, "itl-tpm-register: %s (%" PRIu64 " ms)\n", text, ms);
    } else {
        fprintf(stderr, "itl-tpm-register: %s\n", text);
    }
}

void progress_say(struct progress *progress, const char *event, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_line(progress, event, NULL, text);
}

void progress_error(struct progress *progress, err_t error, const char *more)
{
    char text[LINE_MAX_BYTES];
    snprintf(text, sizeof text, "%s [%s]%s%s", err_text(error), err_reason(error),
             more[0] ? " " : "", more);
    write_line(progress, "error", err_reason(error), text);
}

void progress_refusal(struct progress *progress, const struct refusal *refusal)
{
    char text[LINE_MAX_BYTES];
    snprintf(text, sizeof text, "the appliance refused: %s [%s]", refusal->detail, refusal->reason);
    write_line(progress, "refused", refusal->reason, text);
}
