/* A certificate of the inventory as JSON. */
#ifndef ITL_FRONT_CERTIFICATE_ANSWER_H
#define ITL_FRONT_CERTIFICATE_ANSWER_H

#include "front/json_write.h"
#include "ipc/messages.h"

/* `name` is the member's, NULL in an array and for a whole answer. */
void certificate_put(struct json_writer *w, const char *name,
                     const struct ipc_certificate_record *certificate);

#endif
