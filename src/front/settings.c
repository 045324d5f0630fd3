#include "front/front.h"

#include <string.h>

#include "ipc/settings.h"

static ERRFN read_number(struct view lines, const char *name, uint64_t least, uint64_t most,
                         uint64_t *out_number, const char **out_name)
{
    *out_name = name;
    TRY(settings_get_number(lines, name, out_number));
    ENSURE(*out_number >= least && *out_number <= most, FIELD_INVALID);
    return OK;
}

ERRFN front_settings_read(struct view lines, struct front_settings *out_settings,
                          const char **out_name)
{
    struct front_settings s = {0};
    uint64_t workers;
    uint64_t rate;
    uint64_t high_assurance;
    uint64_t sealed_only;
    *out_name = "service_url";
    TRY(settings_get_text(lines, "service_url", 0, s.service_url, sizeof s.service_url));
    ENSURE(strncmp(s.service_url, "https://", 8) == 0, FIELD_INVALID);
    size_t len = strlen(s.service_url);
    s.service_url[s.service_url[len - 1] == '/' ? len - 1 : len] = '\0';
    *out_name = "downgrades";
    TRY(settings_get_text(lines, "downgrades", 0, s.downgrades, sizeof s.downgrades));
    TRY(read_number(lines, "workers", 1, WORKERS_MAX, &workers, out_name));
    TRY(read_number(lines, "rate_per_minute", 0, 10000000, &rate, out_name));
    TRY(read_number(lines, "high_assurance", 0, 1, &high_assurance, out_name));
    TRY(read_number(lines, "sealed_only", 0, 1, &sealed_only, out_name));
    s.workers = (unsigned)workers;
    s.rate_per_minute = (unsigned)rate;
    s.high_assurance = high_assurance == 1;
    s.sealed_only = sealed_only == 1;
    *out_settings = s;
    return OK;
}
