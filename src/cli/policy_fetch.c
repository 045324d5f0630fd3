#include "cli/policy_fetch.h"

#include <stdio.h>
#include <string.h>

ERRFN policy_fetch(struct session *session, const char *which, json_t **out_policy)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char target[64];
    size_t len = strlen(which);
    ENSURE(len > 0 && len <= 18 && strspn(which, allowed) == len, POLICY_VERSION);
    snprintf(target, sizeof target, "/api/v1/policies/%s", which);
    return session_get_object(session, target, out_policy);
}
