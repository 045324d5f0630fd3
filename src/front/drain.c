#include "front/drain.h"

enum {
    STEP_MS = 20,
    QUIET_MS = 200 /* a connection accepted just before has sent its request by then */
};

void drain_begin(struct drain *drain, uint64_t now_ms, uint32_t deadline_ms)
{
    drain->begun = true;
    drain->began_ms = now_ms;
    drain->deadline_ms = now_ms + deadline_ms;
}

int drain_wait_ms(const struct drain *drain)
{
    return drain->begun ? STEP_MS : -1;
}

bool drain_is_over(const struct drain *drain, uint64_t now_ms, unsigned busy)
{
    if (!drain->begun) {
        return false;
    }
    bool quiet = busy == 0 && now_ms >= drain->began_ms + QUIET_MS;
    return quiet || now_ms >= drain->deadline_ms;
}
