/* The orderly end: no new connections, requests under way are answered, then the process exits. */
#ifndef ITL_FRONT_DRAIN_H
#define ITL_FRONT_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct drain {
    bool begun;
    uint64_t began_ms;
    uint64_t deadline_ms;
};

void drain_begin(struct drain *drain, uint64_t now_ms, uint32_t deadline_ms);

/* For poll: -1 while there is no drain. */
int drain_wait_ms(const struct drain *drain);

/* Nothing is under way, also not what was accepted a moment before; or the deadline has passed. */
bool drain_is_over(const struct drain *drain, uint64_t now_ms, unsigned busy);

#endif
