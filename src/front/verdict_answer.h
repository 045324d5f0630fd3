/* A verdict as answers show it. */
#ifndef ITL_FRONT_VERDICT_ANSWER_H
#define ITL_FRONT_VERDICT_ANSWER_H

#include "front/json_write.h"
#include "ipc/messages.h"

/* "verdicts": the three answers, which are never mixed. */
void verdict_put_parts(struct json_writer *w, uint8_t chain, uint8_t replay, uint8_t policy);

/* "failures". */
void verdict_put_failures(struct json_writer *w, struct ipc_list failures);

#endif
