/* A policy version that the appliance keeps. */
#ifndef ITL_CLI_POLICY_FETCH_H
#define ITL_CLI_POLICY_FETCH_H

#include "cli/session.h"

/* By number, "active" or "previous". What comes is only what its own text bears out: its SHA-384, name and version, and the number that
 * was asked for. Errors: POLICY_VERSION for another word; POLICY_CONTRADICTION when it is another; ANSWER_INVALID; as session_get_object. */
ERRFN policy_fetch(struct session *session, const char *which, json_t **out_policy);

#endif
