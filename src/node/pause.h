/* Waiting that a signal ends. */
#ifndef ITL_NODE_PAUSE_H
#define ITL_NODE_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/* Waits; suspension of the machine does not count. False, at once, when pause_end was called
 * before or meanwhile. */
bool pause_for(uint64_t ms);

/* Async-signal-safe: ends this pause and all later ones, and breaks requests off. */
void pause_end(void);

bool pause_ended(void);

#endif
