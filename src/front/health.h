/* The answer of /healthz, which does not change while the process lives. */
#ifndef ITL_FRONT_HEALTH_H
#define ITL_FRONT_HEALTH_H

#include "front/front.h"

/* {"status":"ok","high_assurance":true} and, when a setting weakens the mode,
 * "downgrades":["name",…]. Errors: NO_MEMORY. */
ERRFN health_write(const struct front_settings *settings, struct buf **out_health);

#endif
