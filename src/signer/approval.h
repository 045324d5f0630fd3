/* The body of POST /machines/{id}/approve. */
#ifndef ITL_SIGNER_APPROVAL_H
#define ITL_SIGNER_APPROVAL_H

#include "signer/signer.h"

struct approval {
    char role[65];
    char hostname[254];
    char assigned_ip[65];
    char cluster_id[65];       /* "" keeps the machine's */
    char ek_fingerprint[MACHINE_EK_SIZE]; /* "" when not given */
    bool accept_unverified_ek;
};

/* Reads the JSON object strictly: unknown and repeated fields, wrong types, bad host names and addresses are refused and named. Errors:
 * JSON_INVALID, FIELD_MISSING, FIELD_INVALID, FIELD_UNKNOWN, ROLE_UNKNOWN, TOO_LONG. */
ERRFN approval_parse(struct call *call, struct view body, struct approval *out_approval);

#endif
