/* A policy version that the appliance keeps. */
#ifndef ITL_CLI_POLICY_FETCH_H
#define ITL_CLI_POLICY_FETCH_H

#include "cli/session.h"

/* By number, "active" or "previous". Errors: POLICY_VERSION for another word; as session_get_object. */
ERRFN policy_fetch(struct session *session, const char *which, json_t **out_policy);

#endif
