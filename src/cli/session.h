/* A connection to the appliance as an operator. */
#ifndef ITL_CLI_SESSION_H
#define ITL_CLI_SESSION_H

#include "cli/credential.h"
#include "cli/options.h"
#include "https/client.h"
#include "https/json.h"
#include "https/refusal.h"

struct session {
    struct credential *credential;
    struct https_client *client;
    struct refusal refusal; /* of the last request that was refused */
};

/* Reads the credential (option, environment, or ~/.itl/attestation-credential.json) and prepares
 * the connection. Options and environment come before what the credential says about the server.
 * Errors: NOT_LOGGED_IN when there is no file, as credential_read, as https_client_new. */
ERRFN session_open(const struct options *options, struct session *out_session);
void session_close(struct session *session);

/* A request that reads. Errors: as https_send; REFUSED with session->refusal; ANSWER_INVALID for a
 * body that is not JSON of the kind asked for. */
ERRFN session_get_object(struct session *session, const char *target, json_t **out_object);
ERRFN session_get_list(struct session *session, const char *target, json_t **out_list);

/* A POST that takes something away, for which the token is enough. Errors as above. */
ERRFN session_take_away(struct session *session, const char *target, const json_t *body,
                        json_t **out_object);

/* A request that grants: signed with the operator's key over method, target and body (NULL for
 * none; api/signature_base.h). Errors as above. */
ERRFN session_grant(struct session *session, const char *method, const char *target,
                    const json_t *body, unsigned *out_status, json_t **out_object);

#endif
