#include "cli/eventlog.h"

#include <stdio.h>

#include "cli/print.h"

static err_t print_json_of(const struct eventlog *eventlog)
{
    AUTO(json) object = NULL;
    TRY(eventlog_json(eventlog, &object));
    return print_json(object);
}

static enum exit_status show(const struct eventlog *eventlog, const struct options *options)
{
    if (options->output == OUTPUT_JSON) {
        err_t e = print_json_of(eventlog);
        if (!IS_OK(e)) {
            return eventlog_failed(e);
        }
    } else {
        eventlog_print(eventlog);
    }
    return eventlog->claims->serious ? EXIT_REFUSED : EXIT_DONE;
}

enum exit_status evidence_eventlog(const struct options *options)
{
    struct eventlog eventlog;
    err_t e = eventlog_open(options->arguments[2], options->userspace_log, &eventlog);
    enum exit_status status = IS_OK(e) ? show(&eventlog, options) : EXIT_UNREADABLE;
    eventlog_close(&eventlog);
    return status;
}
