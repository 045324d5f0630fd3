/* What the front's handlers share. One per process, constant after the start but for what locks
 * itself. */
#ifndef ITL_FRONT_FRONT_H
#define ITL_FRONT_FRONT_H

#include "base/bytes.h"
#include "front/rate.h"
#include "ipc/client.h"

enum {
    SERVICE_URL_SIZE = 257,
    DOWNGRADES_SIZE = 513,
    WORKERS_MAX = 256 /* ipc_client serves as many calls at once */
};

struct front_settings {
    char service_url[SERVICE_URL_SIZE]; /* https://name[:port], what configuration addresses begin
                                           with */
    unsigned workers;
    unsigned rate_per_minute; /* requests of one address; 0: no limit */
    bool high_assurance;
    bool sealed_only;
    char downgrades[DOWNGRADES_SIZE]; /* names of settings that weaken high-assurance mode, with
                                         commas between */
};

struct front {
    struct front_settings settings;
    struct ipc_client *tls;
    struct ipc_client *api;
    struct rate *rate;
    struct buf *health; /* the answer of /healthz */
};

/* Reads and checks the settings. Errors: FIELD_MISSING, FIELD_INVALID, TOO_LONG; out_name is
 * then the setting at fault. */
ERRFN front_settings_read(struct view lines, struct front_settings *out_settings,
                          const char **out_name);

#endif
