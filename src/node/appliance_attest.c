#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "node/appliance_request.h"

static ERRFN put_quote(const struct appliance_proof *proof, json_t *object)
{
    TRY(json_set_base64(object, "pcr_quote", buf_view(proof->quote->attest)));
    TRY(json_set_base64(object, "pcr_signature", buf_view(proof->quote->signature)));
    AUTO(json) values = NULL;
    TRY(pcr_values_to_json(&proof->quote->values, &values));
    ENSURE(json_object_set(object, "pcr_values", values) == 0, NO_MEMORY);
    if (proof->event_log.len > 0) {
        TRY(json_set_base64(object, "event_log", proof->event_log));
    }
    return OK;
}

static ERRFN put_proof(const struct appliance_proof *proof, json_t *object)
{
    TRY(json_set_text(object, "session_id", proof->challenge->session_id));
    TRY(json_set_text(object, "nonce_id", proof->challenge->nonce_id));
    TRY(json_set_base64(object, "activated_secret", secret_view(proof->activated)));
    TRY(json_set_base64(object, "ak_pub", buf_view(proof->key->public_area)));
    return proof->quote ? put_quote(proof, object) : OK;
}

static ERRFN read_action(const char *word, enum node_action *out_action)
{
    static const struct {
        const char *word;
        enum node_action action;
    } words[] = {{"none", NODE_ACTION_NONE},
                 {"apply-config", NODE_ACTION_APPLY},
                 {"lock", NODE_ACTION_LOCK},
                 {"wipe", NODE_ACTION_WIPE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i].word) == 0) {
            *out_action = words[i].action;
            return OK;
        }
    }
    return E(ANSWER_INVALID);
}

/* The token goes into a path, so it may hold nothing that means something there. */
static bool is_token(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return text[0] && text[strspn(text, allowed)] == '\0';
}

static ERRFN read_failures(const json_t *list, struct appliance_verdict *verdict)
{
    for (size_t i = 0; i < json_array_size(list) && i < APPLIANCE_FAILURES_MAX; i++) {
        const json_t *item = json_array_get(list, i);
        const char *rule;
        const char *expected;
        const char *actual;
        TRY(json_get_text(item, "rule", 128, &rule));
        TRY(json_get_text_or_empty(item, "expected", 256, &expected));
        TRY(json_get_text_or_empty(item, "actual", 256, &actual));
        snprintf(verdict->failure[i], sizeof verdict->failure[i], "%s: expected %s, found %s", rule,
                 expected, actual);
        verdict->failures = i + 1;
    }
    return OK;
}

static ERRFN copy_text_or_empty(const json_t *object, const char *key, char *out_text, size_t size)
{
    const char *text;
    TRY(json_get_text_or_empty(object, key, size - 1, &text));
    memcpy(out_text, text, strlen(text) + 1);
    return OK;
}

static ERRFN read_reattest_after(const json_t *seconds, uint32_t *out_s)
{
    if (!seconds || json_is_null(seconds)) {
        return OK;
    }
    ENSURE(json_is_integer(seconds), ANSWER_INVALID);
    json_int_t value = json_integer_value(seconds);
    ENSURE(value > 0 && value <= REATTEST_AFTER_MAX_S, ANSWER_INVALID);
    *out_s = (uint32_t)value;
    return OK;
}

/* An appliance of an older release does not say, and knows the one EK only. */
static ERRFN read_eks(const json_t *list, struct appliance_verdict *verdict)
{
    for (size_t i = 0; i < json_array_size(list) && i < APPLIANCE_EKS_MAX; i++) {
        const json_t *hex = json_array_get(list, i);
        ENSURE(json_is_string(hex), ANSWER_INVALID);
        TRY(hex_decode(view_text(json_string_value(hex)), verdict->ek[i], SHA384_BYTES));
        verdict->eks = i + 1;
    }
    return OK;
}

static ERRFN read_verdict(const json_t *answer, struct appliance_verdict *out_verdict)
{
    struct appliance_verdict verdict = {0};
    const char *status;
    const char *action;
    TRY(json_get_text(answer, "status", 32, &status));
    TRY(machine_state_parse(status, &verdict.state));
    TRY(json_get_text(answer, "action", 32, &action));
    TRY(read_action(action, &verdict.action));
    TRY(copy_text_or_empty(answer, "machine_id", verdict.machine_id, sizeof verdict.machine_id));
    TRY(copy_text_or_empty(answer, "config_token", verdict.config_token,
                           sizeof verdict.config_token));
    TRY(copy_text_or_empty(answer, "wipe_token", verdict.wipe_token, sizeof verdict.wipe_token));
    TRY(copy_text_or_empty(answer, "assurance", verdict.assurance, sizeof verdict.assurance));
    TRY(copy_text_or_empty(answer, "role", verdict.role, sizeof verdict.role));
    TRY(copy_text_or_empty(answer, "reason", verdict.reason, sizeof verdict.reason));
    TRY(copy_text_or_empty(answer, "message", verdict.message, sizeof verdict.message));
    TRY(read_failures(json_object_get(answer, "failures"), &verdict));
    TRY(read_eks(json_object_get(answer, "ek_fingerprints"), &verdict));
    TRY(read_reattest_after(json_object_get(answer, "reattest_after"), &verdict.reattest_after_s));
    bool apply = verdict.action == NODE_ACTION_APPLY;
    ENSURE(!apply || (is_token(verdict.config_token) && verdict.machine_id[0]), ANSWER_INVALID);
    *out_verdict = verdict;
    return OK;
}

ERRFN appliance_attest(struct https_client *client, const struct appliance_caller *caller,
                       const struct appliance_proof *proof, struct appliance_verdict *out_verdict,
                       struct refusal *out_refusal)
{
    AUTO(json) object = json_object();
    ENSURE(object, NO_MEMORY);
    TRY(appliance_describe(caller, object));
    TRY(put_proof(proof, object));
    AUTO(json) answer = NULL;
    TRY(appliance_post(client, "/api/v1/attest", object, &answer, out_refusal));
    ENSURE(IS_OK(read_verdict(answer, out_verdict)), ANSWER_INVALID);
    return OK;
}

ERRFN appliance_ak_activate(struct https_client *client, const struct appliance_caller *caller,
                            const struct appliance_proof *proof, const char *machine_id,
                            struct refusal *out_refusal)
{
    char target[48 + APPLIANCE_ID_MAX];
    AUTO(json) object = json_object();
    AUTO(json) answer = NULL;
    ENSURE(object, NO_MEMORY);
    TRY(appliance_put_fingerprint(caller->endorsement, object));
    TRY(appliance_put_ek(caller->endorsement, object));
    TRY(put_proof(proof, object));
    snprintf(target, sizeof target, "/api/v1/machines/%s/ak-activate", machine_id);
    TRY(appliance_post(client, target, object, &answer, out_refusal));
    ENSURE(json_is_true(json_object_get(answer, "ak_accepted")), ANSWER_INVALID);
    return OK;
}

ERRFN appliance_wipe_ack(struct https_client *client, const struct appliance_verdict *verdict,
                         struct refusal *out_refusal)
{
    char target[48 + APPLIANCE_ID_MAX];
    AUTO(json) object = json_object();
    AUTO(json) answer = NULL;
    ENSURE(object, NO_MEMORY);
    TRY(json_set_text(object, "wipe_token", verdict->wipe_token));
    snprintf(target, sizeof target, "/api/v1/machines/%s/wipe-ack", verdict->machine_id);
    return appliance_post(client, target, object, &answer, out_refusal);
}
