#include "signer/operator.h"

#include "api/signature_base.h"
#include "base/text.h"
#include "crypto/digest.h"

#include <openssl/x509.h>
#include <string.h>

enum { CLOCK_SKEW_S = 30 };

AUTO_DEFINE(EVP_PKEY, EVP_PKEY, EVP_PKEY_free);

static ERRFN any_credential_open(struct call *call)
{
    struct operator_credential open[OPERATOR_CREDENTIALS_LISTED_MAX];
    size_t count;
    TRY(operator_credential_list_open(call->signer->db, call->now_ms, open, &count));
    ENSURE(count > 0, AUTH_NOT_CONFIGURED);
    return OK;
}

static ERRFN find_credential(struct call *call, const struct operator_act *act, struct operator_credential *out_credential)
{
    TRY(any_credential_open(call));
    ENSURE(act->bearer.len > 0, AUTH_MISSING);
    uint8_t hash[SHA384_BYTES];
    TRY(sha384(act->bearer, hash));
    TRY(operator_credential_by_token(call->signer->db, hash, call->now_ms, out_credential));
    return view_to_text(view_text(out_credential->subject), call->actor, sizeof call->actor);
}

ERRFN operator_may_read(struct call *call, const struct operator_act *act)
{
    struct operator_credential credential;
    return find_credential(call, act, &credential);
}

static ERRFN check_time(const struct call *call, const struct signature_params *params)
{
    uint64_t now_s = call->now_ms / 1000;
    ENSURE(params->created <= now_s + CLOCK_SKEW_S, SIGNATURE_INVALID);
    ENSURE(now_s <= params->expires + CLOCK_SKEW_S, SIGNATURE_REPLAYED);
    return OK;
}

static ERRFN check_key(const struct operator_credential *credential, const struct signature_params *params)
{
    uint8_t keyid[SIGNATURE_KEYID_BYTES];
    ENSURE(IS_OK(hex_decode(params->keyid, keyid, sizeof keyid)), SIGNATURE_INVALID);
    ENSURE(view_equal(view_of(keyid, sizeof keyid), view_of(credential->key_id, KEY_ID_BYTES)), SIGNATURE_INVALID);
    return OK;
}

static ERRFN verify(const struct operator_credential *credential, const struct operator_act *act, const char *method,
                    const char *target, const struct signature_params *params)
{
    const uint8_t *der = credential->public_key;
    AUTO(EVP_PKEY) key = d2i_PUBKEY(NULL, &der, (long)credential->public_key_len);
    ENSURE(key, SIGNATURE_INVALID);
    uint8_t signature[SIGNATURE_BYTES];
    AUTO(buf) base = NULL;
    TRY(signature_header_parse(act->signature, signature));
    TRY(buf_new(SIGNATURE_BASE_MAX_BYTES, &base));
    struct signature_request request = {
        .method = view_text(method), .target = view_text(target), .content_digest = act->content_digest};
    TRY(signature_base_put(&request, params, base));
    return signature_check(key, buf_view(base), signature);
}

ERRFN operator_may_grant(struct call *call, const struct operator_act *act, const char *method, const char *target)
{
    struct operator_credential credential;
    TRY(find_credential(call, act, &credential));
    if (!call->signer->settings.grants_signed) {
        return OK;
    }
    struct signature_params params;
    TRY(content_digest_check(act->content_digest, act->body));
    TRY(signature_input_parse(act->signature_input, &params));
    TRY(check_key(&credential, &params));
    TRY(check_time(call, &params));
    TRY(verify(&credential, act, method, target, &params));
    uint64_t forget_at = (params.expires + 2 * CLOCK_SKEW_S) * 1000;
    return request_signature_seen(call->signer->db, credential.key_id, params.nonce, forget_at);
}
