#include "node/appliance_request.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { REQUEST_MAX_BYTES = 2 << 20 }; /* an event log of 512 KiB in base64 and everything else */

static ERRFN exchange(struct https_client *client, const struct https_request *request,
                      const char *media_type, json_t **out_answer, struct refusal *out_refusal)
{
    struct https_answer answer = {0};
    TRY(https_send(client, request, &answer));
    err_t e = refusal_check(&answer, out_refusal);
    if (IS_OK(e) && strcmp(answer.content_type, media_type) != 0) {
        e = E(ANSWER_INVALID);
    }
    if (IS_OK(e)) {
        e = IS_OK(json_read(buf_view(answer.body), out_answer)) ? OK : E(ANSWER_INVALID);
    }
    https_answer_clear(&answer);
    return e;
}

ERRFN appliance_post(struct https_client *client, const char *target, const json_t *object,
                     json_t **out_answer, struct refusal *out_refusal)
{
    AUTO(buf) body = NULL;
    TRY(json_write(object, 0, REQUEST_MAX_BYTES, &body));
    struct https_request request = {.method = "POST",
                                    .target = target,
                                    .headers = {"Accept: application/json"},
                                    .body = buf_view(body)};
    return exchange(client, &request, "application/json", out_answer, out_refusal);
}

ERRFN appliance_get(struct https_client *client, const char *target, const char *media_type,
                    json_t **out_answer, struct refusal *out_refusal)
{
    char accept[128];
    snprintf(accept, sizeof accept, "Accept: %s", media_type);
    struct https_request request = {.method = "GET", .target = target, .headers = {accept}};
    return exchange(client, &request, media_type, out_answer, out_refusal);
}

ERRFN machine_state_parse(const char *word, enum machine_state *out_state)
{
    static const struct {
        const char *word;
        enum machine_state state;
    } words[] = {{"pending_approval", MACHINE_STATE_PENDING},
                 {"registered", MACHINE_STATE_REGISTERED},
                 {"attested", MACHINE_STATE_ATTESTED},
                 {"already_attested", MACHINE_STATE_ATTESTED},
                 {"locked", MACHINE_STATE_LOCKED},
                 {"revoked", MACHINE_STATE_REVOKED},
                 {"rejected", MACHINE_STATE_REJECTED}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i].word) == 0) {
            *out_state = words[i].state;
            return OK;
        }
    }
    return E(ANSWER_INVALID);
}

static ERRFN mask_from_json(const json_t *list, uint32_t *out_mask)
{
    ENSURE(json_is_array(list), ANSWER_INVALID);
    uint32_t mask = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        ENSURE(json_is_integer(item), ANSWER_INVALID);
        json_int_t index = json_integer_value(item);
        ENSURE(index >= 0 && index < PCR_COUNT && !(mask & 1U << index), ANSWER_INVALID);
        mask |= 1U << index;
    }
    *out_mask = mask;
    return OK;
}

ERRFN pcr_selection_from_json(const json_t *object, struct pcr_selection *out_selection)
{
    struct pcr_selection selection = {0};
    ENSURE(json_is_object(object) && json_object_size(object) <= PCR_BANKS_MAX, ANSWER_INVALID);
    const char *name;
    json_t *list;
    json_object_foreach((json_t *)(uintptr_t)object, name, list)
    {
        struct pcr_bank_selection *bank = &selection.banks[selection.count];
        bank->bank = pcr_bank_from_name(view_text(name));
        ENSURE(pcr_bank_digest_size(bank->bank) > 0, ANSWER_INVALID);
        TRY(mask_from_json(list, &bank->mask));
        selection.count += bank->mask != 0;
    }
    ENSURE(selection.count > 0, ANSWER_INVALID);
    *out_selection = selection;
    return OK;
}

ERRFN pcr_values_to_json(const struct pcr_values *values, json_t **out_object)
{
    AUTO(json) object = json_object();
    ENSURE(object, NO_MEMORY);
    for (size_t i = 0; i < values->count; i++) {
        const struct pcr_value *value = &values->value[i];
        char key[16];
        char hex[HEX_TEXT_SIZE(TPM_DIGEST_MAX_BYTES)];
        snprintf(key, sizeof key, "%s:%u", pcr_bank_name(value->bank), value->index);
        hex_encode(view_of(value->digest, value->len), hex);
        TRY(json_set_text(object, key, hex));
    }
    *out_object = STEAL(object);
    return OK;
}
