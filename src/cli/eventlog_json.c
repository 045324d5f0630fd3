#include "cli/eventlog.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tpm/event_claims.h"
#include "tpm/event_describe.h"

/* Takes the value, also when it fails. */
static ERRFN set(json_t *object, const char *key, json_t *take_value)
{
    ENSURE(take_value && json_object_set_new(object, key, take_value) == 0, NO_MEMORY);
    return OK;
}

static ERRFN append(json_t *list, json_t *take_value)
{
    ENSURE(take_value && json_array_append_new(list, take_value) == 0, NO_MEMORY);
    return OK;
}

static ERRFN set_hex(json_t *object, const char *key, struct view bytes)
{
    char *text = malloc(HEX_TEXT_SIZE(bytes.len));
    ENSURE(text, NO_MEMORY);
    hex_encode(bytes, text);
    err_t e = set(object, key, json_string(text));
    free(text);
    return e;
}

static ERRFN bank_json(const struct eventlog *l, size_t number, json_t *banks)
{
    const struct event_replay_bank *bank = &l->replay->banks[number];
    if (bank->mask == 0) {
        return OK;
    }
    json_t *values = json_object();
    TRY(set(banks, event_banks[number].name, values));
    for (uint32_t pcr = 0; pcr < PCR_COUNT; pcr++) {
        char name[EVENT_REGISTER_NAME_SIZE];
        if (bank->mask >> pcr & 1) {
            event_register_name(l->log, pcr, name);
            TRY(set_hex(values, name, view_of(bank->value[pcr], event_banks[number].size)));
        }
    }
    return OK;
}

static ERRFN set_banks(const struct eventlog *l, json_t *object)
{
    json_t *banks = json_object();
    TRY(set(object, "banks", banks));
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        TRY(bank_json(l, i, banks));
    }
    return OK;
}

static ERRFN set_digests(const struct eventlog *l, const struct event_record *event, json_t *object)
{
    json_t *digests = json_object();
    TRY(set(object, "digests", digests));
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        struct view digest = event_log_digest(l->log, event, event_banks[i].alg);
        if (digest.len > 0) {
            TRY(set_hex(digests, event_banks[i].name, digest));
        }
    }
    return OK;
}

/* Whether the data is what was measured, as the digest in the bank of the claims says; images and
 * tables are not in their events. Nothing for an event without such a digest. */
static ERRFN set_measured(const struct eventlog *l, const struct event_record *event,
                          json_t *object)
{
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    const struct event_bank *bank = event_bank_of(l->bank);
    struct view said = bank ? event_log_digest(l->log, event, bank->alg) : VIEW_EMPTY;
    if (said.len == 0 || !event_log_extends(l->log, event)) {
        return OK;
    }
    ENSURE(EVP_Digest(event->data.data, event->data.len, digest, NULL, bank->md(), NULL) == 1,
           CRYPTO);
    bool is = view_equal(said, view_of(digest, bank->size));
    return set(object, "data_is_measured", json_boolean(is));
}

static ERRFN event_json(const struct eventlog *l, size_t index, json_t *events)
{
    const struct event_record *event = &l->log->events[index];
    const char *type = event_type_name(event->type);
    struct event_text text;
    json_t *object = json_object();
    TRY(append(events, object));
    TRY(set(object, "index", json_integer((json_int_t)index)));
    TRY(set(object, "offset", json_integer((json_int_t)event->offset)));
    TRY(set(object, "pcr", json_integer(event->pcr)));
    TRY(set(object, "type", json_integer(event->type)));
    if (event->userspace) {
        TRY(set(object, "userspace", json_string(event->userspace)));
    } else if (type) {
        TRY(set(object, "type_name", json_string(type)));
    }
    TRY(set_digests(l, event, object));
    TRY(set(object, "size", json_integer((json_int_t)event->data.len)));
    TRY(set_hex(object, "data", event->data));
    TRY(set_measured(l, event, object));
    event_text_clear(&text);
    event_describe(event, &text);
    return text.len > 0 ? set(object, "text", json_string(text.text)) : OK;
}

static ERRFN set_events(const struct eventlog *l, json_t *object)
{
    json_t *events = json_array();
    TRY(set(object, "events", events));
    for (size_t i = 0; i < l->log->count; i++) {
        TRY(event_json(l, i, events));
    }
    return OK;
}

/* A name that repeats, or may, has a list. */
static ERRFN add_claim(json_t *object, const struct event_claim *claim)
{
    json_t *known = json_object_get(object, claim->name);
    if (json_is_array(known)) {
        return append(known, json_string(claim->value));
    }
    if (!known && !event_claim_is_set(claim->name)) {
        return set(object, claim->name, json_string(claim->value));
    }
    json_t *list = json_array();
    ENSURE(list, NO_MEMORY);
    if (known && json_array_append(list, known) != 0) {
        json_decref(list);
        return E(NO_MEMORY);
    }
    TRY(set(object, claim->name, list));
    return append(list, json_string(claim->value));
}

static ERRFN set_claims(const struct eventlog *l, json_t *object)
{
    json_t *claims = json_object();
    TRY(set(object, "claims", claims));
    for (size_t i = 0; i < l->claims->count; i++) {
        TRY(add_claim(claims, &l->claims->items[i]));
    }
    return set(object, "claims_truncated", json_boolean(l->claims->truncated));
}

static ERRFN set_warnings(const struct eventlog *l, json_t *object)
{
    json_t *warnings = json_array();
    TRY(set(object, "warnings", warnings));
    for (size_t i = 0; i < l->claims->warning_count; i++) {
        TRY(append(warnings, json_string(l->claims->warnings[i].text)));
    }
    if (l->claims->warnings_dropped > 0) {
        TRY(append(warnings,
                   json_sprintf("%zu more warnings of this kind.", l->claims->warnings_dropped)));
    }
    return set(object, "acceptable", json_boolean(!l->claims->serious));
}

static ERRFN set_spec_id(const struct event_log *log, json_t *object)
{
    json_t *spec = json_object();
    TRY(set(object, "spec_id", spec));
    TRY(set(spec, "signature", json_string(log->signature)));
    TRY(set(spec, "platform_class", json_integer(log->platform_class)));
    TRY(set(spec, "version", json_sprintf("%u.%u", log->spec_major, log->spec_minor)));
    TRY(set(spec, "errata", json_integer(log->spec_errata)));
    TRY(set(spec, "uintn_size", json_integer(log->uintn_size)));
    return set_hex(spec, "vendor_info", log->vendor_info);
}

/* What the header lists: by name, or by number where we know none. */
static ERRFN set_algorithms(const struct event_log *log, json_t *object)
{
    json_t *list = json_array();
    TRY(set(object, "algorithms", list));
    for (size_t i = 0; i < log->algorithm_count; i++) {
        const struct event_bank *bank = event_bank_of(log->algorithms[i].alg);
        TRY(append(list, bank ? json_string(bank->name)
                              : json_sprintf("0x%04x", log->algorithms[i].alg)));
    }
    return OK;
}

static ERRFN set_final_events(const struct event_log *log, json_t *object)
{
    if (log->final_events == 0) {
        return OK;
    }
    json_t *table = json_object();
    TRY(set(object, "final_events", table));
    TRY(set(table, "events", json_integer((json_int_t)log->final_events)));
    return set(table, "repeated", json_integer((json_int_t)log->final_events_repeated));
}

/* Of a log with systemd's behind it. */
static ERRFN set_userspace(const struct event_log *log, json_t *object)
{
    if (!log->userspace) {
        return OK;
    }
    json_t *userspace = json_object();
    TRY(set(object, "userspace", userspace));
    TRY(set(userspace, "records", json_integer((json_int_t)log->userspace_records)));
    return set(userspace, "nv_index", json_integer((json_int_t)log->userspace_nv));
}

static ERRFN set_header(const struct eventlog *l, json_t *object)
{
    const struct event_log *log = l->log;
    TRY(set(object, "format", json_string(event_log_format_name(log->format))));
    if (log->cc) {
        TRY(set(object, "cc", json_true()));
    }
    TRY(set(object, "size", json_integer((json_int_t)l->content->len)));
    TRY(set(object, "padding_bytes", json_integer((json_int_t)log->padding_bytes)));
    TRY(set(object, "startup_locality",
            log->locality_given ? json_integer(log->startup_locality) : json_null()));
    TRY(set_algorithms(log, object));
    TRY(set_final_events(log, object));
    TRY(set_userspace(log, object));
    return log->signature[0] ? set_spec_id(log, object) : OK;
}

ERRFN eventlog_json(const struct eventlog *l, json_t **out_object)
{
    AUTO(json) object = json_object();
    ENSURE(object, NO_MEMORY);
    TRY(set_header(l, object));
    TRY(set_banks(l, object));
    TRY(set_events(l, object));
    TRY(set_claims(l, object));
    TRY(set_warnings(l, object));
    *out_object = STEAL(object);
    return OK;
}
