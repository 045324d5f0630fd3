#include <stdio.h>
#include <string.h>

#include "node/appliance_request.h"

/* What each kind is called in a request and in its answer. */
static const struct {
    const char *profile;
    const char *field;
} words[CERTIFICATE_KINDS] = {[CERTIFICATE_ENROLLMENT] = {"enrollment", "enrollment_cert_pem"},
                              [CERTIFICATE_SVID] = {"svid", "svid_pem"}};

void appliance_certificate_clear(struct appliance_certificate *certificate)
{
    buf_free(STEAL(certificate->certificate));
    buf_free(STEAL(certificate->ca));
}

/* Asked where everybody may ask: a request that is refused would be an event for an operator. */
ERRFN appliance_issues_svids(struct https_client *client, bool *out_issues,
                             struct refusal *out_refusal)
{
    AUTO(json) bundle = NULL;
    struct refusal refusal = {0};
    err_t asked = appliance_get(client, "/pki/bundle.json", "application/json", &bundle, &refusal);
    if (IS_E(asked, REFUSED) && strcmp(refusal.reason, "trust_domain_not_set") == 0) {
        *out_issues = false;
        return OK;
    }
    if (IS_E(asked, REFUSED)) {
        *out_refusal = refusal;
    }
    *out_issues = IS_OK(asked);
    return asked;
}

ERRFN appliance_nonce(struct https_client *client, struct appliance_nonce *out_nonce,
                      struct refusal *out_refusal)
{
    AUTO(json) answer = NULL;
    const char *id;
    TRY(appliance_get(client, "/api/v1/attest/challenge", "application/json", &answer,
                      out_refusal));
    ENSURE(IS_OK(json_get_text(answer, "nonce_id", APPLIANCE_ID_MAX, &id)), ANSWER_INVALID);
    ENSURE(IS_OK(json_get_base64(answer, "nonce", 64, &out_nonce->nonce)), ANSWER_INVALID);
    memcpy(out_nonce->nonce_id, id, strlen(id) + 1);
    return OK;
}

static ERRFN put_request(const struct appliance_certificate_request *request, json_t *object)
{
    AUTO(json) values = NULL;
    TRY(appliance_put_fingerprint(request->endorsement, object));
    TRY(json_set_text(object, "profile", words[request->kind].profile));
    TRY(json_set_text(object, "nonce_id", request->nonce_id));
    TRY(json_set_base64(object, "pcr_quote", buf_view(request->quote->attest)));
    TRY(json_set_base64(object, "pcr_signature", buf_view(request->quote->signature)));
    TRY(pcr_values_to_json(&request->quote->values, &values));
    ENSURE(json_object_set(object, "pcr_values", values) == 0, NO_MEMORY);
    return json_set_base64(object, "csr_pem", request->csr); /* base64 of DER is taken as well */
}

/* PEM has line ends, so json_get_text would refuse it. What is in it is for its user to check. */
static ERRFN read_pem(const json_t *answer, const char *key, struct buf **out_pem)
{
    const json_t *value = json_object_get(answer, key);
    size_t len = json_string_length(value);
    if (len == 0) {
        return OK;
    }
    ENSURE(len <= CERTIFICATE_PEM_MAX_BYTES, ANSWER_INVALID);
    struct view text = view_of(json_string_value(value), len);
    ENSURE(memmem(text.data, text.len, "-----BEGIN CERTIFICATE-----", 27) == text.data,
           ANSWER_INVALID);
    return buf_copy(text, out_pem);
}

static ERRFN read_certificate(const json_t *answer, const char *field,
                              struct appliance_certificate *certificate)
{
    TRY(read_pem(answer, field, &certificate->certificate));
    TRY(read_pem(answer, "enrollment_ca_pem", &certificate->ca));
    ENSURE(certificate->certificate && certificate->ca, ANSWER_INVALID);
    return OK;
}

ERRFN appliance_certificate(struct https_client *client, const char *machine_id,
                            const struct appliance_certificate_request *request,
                            struct appliance_certificate *out_certificate,
                            struct refusal *out_refusal)
{
    char target[48 + APPLIANCE_ID_MAX];
    AUTO(json) object = json_object();
    AUTO(json) answer = NULL;
    struct appliance_certificate certificate = {0};
    ENSURE(object, NO_MEMORY);
    snprintf(target, sizeof target, "/api/v1/machines/%s/request-cert", machine_id);
    TRY(put_request(request, object));
    TRY(appliance_post(client, target, object, &answer, out_refusal));
    err_t read = read_certificate(answer, words[request->kind].field, &certificate);
    if (!IS_OK(read)) {
        appliance_certificate_clear(&certificate);
        return IS_E(read, NO_MEMORY) ? read : E(ANSWER_INVALID);
    }
    *out_certificate = certificate;
    return OK;
}
