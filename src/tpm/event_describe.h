/* One event in words, for people: what stands in it, whether its digest covers that or not. */
#ifndef ITL_TPM_EVENT_DESCRIBE_H
#define ITL_TPM_EVENT_DESCRIBE_H

#include "tpm/event_log.h"
#include "tpm/event_text.h"

/* Appends a variable's name, a device path, a text or a GUID; nothing where data is bytes only. */
void event_describe(const struct event_record *event, struct event_text *t);

/* Appends "EV_SEPARATOR" or "0x00000abc". */
void event_describe_type(const struct event_record *event, struct event_text *t);

#endif
