/* The words that the contract has for the numbers in messages. */
#ifndef ITL_FRONT_NAMES_H
#define ITL_FRONT_NAMES_H

#include "base/bytes.h"

/* pending_approval, registered, attested, locked, revoked, rejected; "unknown" for anything
 * else. */
const char *status_name(uint8_t status);

/* 0 when there is no such status. */
uint8_t status_from_name(struct view name);

/* none, apply-config, lock, wipe. */
const char *action_name(uint8_t action);

/* pass, fail, telemetry, not_evaluated. */
const char *verdict_name(uint8_t verdict);

/* pass, fail, not_evaluated. */
const char *outcome_name(uint8_t outcome);

/* optional, required, known. */
const char *event_log_name(uint8_t event_log);
/* enrollment, svid. */
const char *certificate_kind_name(uint8_t kind);

/* unspecified, affiliation_changed …: CRLReason of RFC 5280 section 5.3.1. */
const char *revocation_reason_name(uint8_t reason);

/* cert, pub. */
const char *ek_source_name(uint8_t source);

#endif
