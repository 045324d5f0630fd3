#include <stdio.h>
#include <string.h>

#include "node/appliance_request.h"

enum { CERTIFICATE_PEM_MAX_BYTES = 8192 };

void appliance_certificates_clear(struct appliance_certificates *certificates)
{
    buf_free(STEAL(certificates->certificate));
    buf_free(STEAL(certificates->ca));
    buf_free(STEAL(certificates->svid));
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

static ERRFN put_request(const struct endorsement *endorsement, const char *nonce_id,
                         const struct quote_evidence *quote, struct view request, json_t *object)
{
    AUTO(json) values = NULL;
    TRY(appliance_put_fingerprint(endorsement, object));
    TRY(json_set_text(object, "nonce_id", nonce_id));
    TRY(json_set_base64(object, "pcr_quote", buf_view(quote->attest)));
    TRY(json_set_base64(object, "pcr_signature", buf_view(quote->signature)));
    TRY(pcr_values_to_json(&quote->values, &values));
    ENSURE(json_object_set(object, "pcr_values", values) == 0, NO_MEMORY);
    return json_set_base64(object, "csr_pem", request); /* base64 of DER is taken as well */
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

static ERRFN read_certificates(const json_t *answer, struct appliance_certificates *certificates)
{
    TRY(read_pem(answer, "enrollment_cert_pem", &certificates->certificate));
    TRY(read_pem(answer, "enrollment_ca_pem", &certificates->ca));
    TRY(read_pem(answer, "svid_pem", &certificates->svid));
    ENSURE(certificates->certificate && certificates->ca, ANSWER_INVALID);
    return OK;
}

ERRFN appliance_certificates(struct https_client *client, const struct endorsement *endorsement,
                             const char *machine_id, const char *nonce_id,
                             const struct quote_evidence *quote, struct view request,
                             struct appliance_certificates *out_certificates,
                             struct refusal *out_refusal)
{
    char target[48 + APPLIANCE_ID_MAX];
    AUTO(json) object = json_object();
    AUTO(json) answer = NULL;
    struct appliance_certificates certificates = {0};
    ENSURE(object, NO_MEMORY);
    snprintf(target, sizeof target, "/api/v1/machines/%s/request-cert", machine_id);
    TRY(put_request(endorsement, nonce_id, quote, request, object));
    TRY(appliance_post(client, target, object, &answer, out_refusal));
    err_t read = read_certificates(answer, &certificates);
    if (!IS_OK(read)) {
        appliance_certificates_clear(&certificates);
        return IS_E(read, NO_MEMORY) ? read : E(ANSWER_INVALID);
    }
    *out_certificates = certificates;
    return OK;
}
