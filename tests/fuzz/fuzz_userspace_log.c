/* Appends userspace's log to a small one of firmware, then replays and explains: a text is refused
 * and the log unchanged, or its events go on behind the firmware's. */
#include "base/text.h"
#include "tpm/event_claims.h"
#include "tpm/event_replay.h"
#include "tpm/userspace_log.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* One event of the old form: a log that is there, and no more. */
static struct event_log *firmware_log(void)
{
    static const uint8_t bytes[32] = {11, 0, 0, 0, 13};
    struct event_log_problem problem;
    struct event_log *log = NULL;
    must(IS_OK(event_log_parse(view_of(bytes, sizeof bytes), &log, &problem)));
    return log;
}

static void use(const struct event_log *log)
{
    static struct event_replay replay;
    must(IS_OK(event_replay(log, &replay)));
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        AUTO(claims) claims = NULL;
        must(IS_OK(event_claims_read(log, event_banks[i].alg, &claims)));
        for (size_t claim = 0; claim < claims->count; claim++) {
            must(text_is_clean(view_text(claims->items[claim].value)));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(event_log) log = firmware_log();
    struct event_log_problem problem;
    if (IS_OK(userspace_log_append(log, view_of(data, size), &problem))) {
        must(log->count == 1 + log->userspace_count);
        must(log->userspace_records == log->userspace_count + log->userspace_nv);
        use(log);
    } else {
        must(problem.offset <= size && log->count == 1 && !log->userspace);
    }
    return 0;
}
