/* One node of a device path; between the files that write them. */
#ifndef ITL_TPM_DEVICE_PATH_NODE_H
#define ITL_TPM_DEVICE_PATH_NODE_H

#include "tpm/event_text.h"

struct device_node {
    uint8_t type;
    uint8_t subtype;
    struct view data;
};

/* NAME(guid) or NAME(guid,hex). False, like all of them, for a node that is too short. */
bool device_node_put_guid(struct event_text *t, const struct device_node *n, const char *name);

/* Of type 3. False also for a kind that is not known. */
bool device_node_put_message(struct event_text *t, const struct device_node *n);

#endif
