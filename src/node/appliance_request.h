/* One exchange with the appliance: a JSON object there, a JSON object back. */
#ifndef ITL_NODE_APPLIANCE_REQUEST_H
#define ITL_NODE_APPLIANCE_REQUEST_H

#include "node/appliance.h"

/* "ek_source", "ek_cert_pem" where there is a certificate, and "ek_pub". */
ERRFN appliance_put_ek(const struct endorsement *endorsement, json_t *object);

/* "ek_fingerprint". */
ERRFN appliance_put_fingerprint(const struct endorsement *endorsement, json_t *object);

/* POSTs the object; errors as in appliance.h. */
ERRFN appliance_post(struct https_client *client, const char *target, const json_t *object,
                     json_t **out_answer, struct refusal *out_refusal);

/* GETs with an Accept header; the answer must be of exactly that media type. */
ERRFN appliance_get(struct https_client *client, const char *target, const char *media_type,
                    json_t **out_answer, struct refusal *out_refusal);

/* The word of the contract. Errors: ANSWER_INVALID. */
ERRFN machine_state_parse(const char *word, enum machine_state *out_state);

/* {"sha256": [0, 4, 7], …}. Errors: ANSWER_INVALID for an unknown bank, an index past 23, a
 * repetition, or nothing at all. */
ERRFN pcr_selection_from_json(const json_t *object, struct pcr_selection *out_selection);

/* {"sha256:0": "<hex>", …}. Errors: NO_MEMORY. */
ERRFN pcr_values_to_json(const struct pcr_values *values, json_t **out_object);

#endif
