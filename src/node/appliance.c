#include "node/appliance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/appliance_request.h"

/* A field that is missing or malformed makes the answer one that is not the appliance's. */
#define TRY_ANSWER(expr) ENSURE(IS_OK(expr), ANSWER_INVALID)

void appliance_challenge_free(struct appliance_challenge *challenge)
{
    if (challenge) {
        buf_free(challenge->nonce);
        buf_free(challenge->id_object);
        buf_free(challenge->encrypted_secret);
        free(challenge);
    }
}

void appliance_sealed_free(struct appliance_sealed *sealed)
{
    if (sealed) {
        buf_free(sealed->id_object);
        buf_free(sealed->encrypted_secret);
        buf_free(sealed->iv);
        buf_free(sealed->ciphertext);
        buf_free(sealed->tag);
        buf_free(sealed->aad);
        free(sealed);
    }
}

/* -- what every request says ------------------------------------------------------------------- */

ERRFN appliance_put_ek(const struct endorsement *endorsement, json_t *object)
{
    TRY(json_set_text(object, "ek_source", endorsement->certificate ? "cert" : "pub"));
    if (endorsement->certificate) {
        TRY(json_set_base64(object, "ek_cert_pem", buf_view(endorsement->certificate)));
    }
    return json_set_base64(object, "ek_pub", buf_view(endorsement->public_area));
}

ERRFN appliance_put_fingerprint(const struct endorsement *endorsement, json_t *object)
{
    char hex[HEX_TEXT_SIZE(SHA384_BYTES)];
    hex_encode(view_of(endorsement->ek->spki_sha384, SHA384_BYTES), hex);
    return json_set_text(object, "ek_fingerprint", hex);
}

ERRFN appliance_describe(const struct appliance_caller *caller, json_t *object)
{
    TRY(appliance_put_fingerprint(caller->endorsement, object));
    TRY(appliance_put_ek(caller->endorsement, object));
    TRY(json_set_text(object, "hw_uuid", caller->hardware->uuid));
    TRY(json_set_text(object, "hw_mac", caller->hardware->mac));
    TRY(json_set_text(object, "hw_serial", caller->hardware->serial));
    return json_set_text(object, "hw_product", caller->hardware->product);
}

/* -- register ---------------------------------------------------------------------------------- */

ERRFN appliance_register(struct https_client *client, const struct appliance_caller *caller,
                         enum machine_state *out_state, struct refusal *out_refusal)
{
    AUTO(json) object = json_object();
    ENSURE(object, NO_MEMORY);
    TRY(appliance_describe(caller, object));
    if (caller->role) {
        TRY(json_set_text(object, "desired_role", caller->role));
    }
    if (caller->cluster) {
        TRY(json_set_text(object, "cluster_id", caller->cluster));
    }
    AUTO(json) answer = NULL;
    TRY(appliance_post(client, "/api/v1/self-register", object, &answer, out_refusal));
    const char *status;
    TRY_ANSWER(json_get_text(answer, "status", 32, &status));
    return machine_state_parse(status, out_state);
}

/* -- challenge --------------------------------------------------------------------------------- */

static ERRFN copy_text(const json_t *object, const char *key, char *out_text, size_t size)
{
    const char *text;
    TRY(json_get_text(object, key, size - 1, &text));
    memcpy(out_text, text, strlen(text) + 1);
    return OK;
}

static ERRFN read_event_log_wish(const json_t *answer, struct appliance_challenge *challenge)
{
    const char *wish;
    const char *digest;
    TRY(json_get_text_or_empty(answer, "event_log", 16, &wish));
    challenge->event_log_required = strcmp(wish, "required") == 0;
    challenge->event_log_known = strcmp(wish, "known") == 0;
    challenge->userspace_log = json_is_true(json_object_get(answer, "userspace_log"));
    if (!challenge->event_log_known) {
        return OK;
    }
    TRY(json_get_text(answer, "event_log_digest", 2 * SHA384_BYTES, &digest));
    return hex_decode(view_text(digest), challenge->event_log_sha384, SHA384_BYTES);
}

static ERRFN read_challenge(const json_t *answer, struct appliance_challenge **out_challenge)
{
    AUTO(appliance_challenge) challenge = calloc(1, sizeof *challenge);
    ENSURE(challenge, NO_MEMORY);
    TRY(copy_text(answer, "session_id", challenge->session_id, sizeof challenge->session_id));
    TRY(copy_text(answer, "nonce_id", challenge->nonce_id, sizeof challenge->nonce_id));
    TRY(json_get_base64(answer, "nonce", 64, &challenge->nonce));
    TRY(json_get_base64(answer, "credential_blob", sizeof(TPM2B_ID_OBJECT), &challenge->id_object));
    TRY(json_get_base64(answer, "encrypted_secret", sizeof(TPM2B_ENCRYPTED_SECRET),
                        &challenge->encrypted_secret));
    TRY(pcr_selection_from_json(json_object_get(answer, "pcr_selection"), &challenge->selection));
    TRY(read_event_log_wish(answer, challenge));
    *out_challenge = STEAL(challenge);
    return OK;
}

ERRFN appliance_challenge(struct https_client *client, const struct appliance_caller *caller,
                          const struct attestation_key *key,
                          struct appliance_challenge **out_challenge, struct refusal *out_refusal)
{
    AUTO(json) object = json_object();
    ENSURE(object, NO_MEMORY);
    TRY(appliance_put_ek(caller->endorsement, object));
    TRY(json_set_base64(object, "ak_pub", buf_view(key->public_area)));
    AUTO(json) answer = NULL;
    TRY(appliance_post(client, "/api/v1/attest/challenge", object, &answer, out_refusal));
    TRY_ANSWER(read_challenge(answer, out_challenge));
    return OK;
}

/* -- configuration ----------------------------------------------------------------------------- */

static ERRFN read_sealed(const json_t *answer, struct appliance_sealed **out_sealed)
{
    AUTO(appliance_sealed) sealed = calloc(1, sizeof *sealed);
    ENSURE(sealed, NO_MEMORY);
    const char *format;
    TRY(json_get_text(answer, "format", 32, &format));
    ENSURE(strcmp(format, "tpm-credential-v1") == 0, ANSWER_INVALID);
    TRY(json_get_base64(answer, "credential_blob", sizeof(TPM2B_ID_OBJECT), &sealed->id_object));
    TRY(json_get_base64(answer, "encrypted_secret", sizeof(TPM2B_ENCRYPTED_SECRET),
                        &sealed->encrypted_secret));
    TRY(json_get_base64(answer, "iv", 12, &sealed->iv));
    TRY(json_get_base64(answer, "ciphertext", APPLIANCE_CONFIG_MAX_BYTES, &sealed->ciphertext));
    TRY(json_get_base64(answer, "tag", 16, &sealed->tag));
    TRY(json_get_base64(answer, "aad", 1024, &sealed->aad));
    *out_sealed = STEAL(sealed);
    return OK;
}

ERRFN appliance_config(struct https_client *client, const char *token,
                       struct appliance_sealed **out_sealed, struct refusal *out_refusal)
{
    char target[32 + APPLIANCE_TOKEN_MAX];
    snprintf(target, sizeof target, "/api/v1/config/%s", token);
    AUTO(json) answer = NULL;
    TRY(appliance_get(client, target, "application/vnd.itl.config.sealed+json", &answer,
                      out_refusal));
    TRY_ANSWER(read_sealed(answer, out_sealed));
    return OK;
}
