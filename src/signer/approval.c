#include "signer/approval.h"

#include "base/text.h"
#include "signer/roles.h"
#include "talos/machine_config.h"

#include <jansson.h>
#include <string.h>

AUTO_DEFINE(json_t, json_t, json_decref);

struct text_field {
    const char *name;
    const char *subject;
    char *text;
    size_t size;
};

/* A text, or null, which counts as absent. */
static ERRFN read_text(struct call *call, const json_t *value, const struct text_field *field)
{
    if (json_is_null(value)) {
        return OK;
    }
    if (!json_is_string(value)) {
        return call_refuse(call, E(FIELD_INVALID), field->subject);
    }
    struct view text = view_of(json_string_value(value), json_string_length(value));
    if (!text_is_clean(text) || !IS_OK(view_to_text(text, field->text, field->size))) {
        return call_refuse(call, E(FIELD_INVALID), field->subject);
    }
    return OK;
}

static ERRFN read_field(struct call *call, const char *name, const json_t *value, const struct text_field *fields,
                        size_t count, struct approval *approval)
{
    if (strcmp(name, "accept_unverified_ek") == 0) {
        if (!json_is_boolean(value)) {
            return call_refuse(call, E(FIELD_INVALID), "body.accept_unverified_ek");
        }
        approval->accept_unverified_ek = json_is_true(value);
        return OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, fields[i].name) == 0) {
            return read_text(call, value, &fields[i]);
        }
    }
    return call_refuse(call, E(FIELD_UNKNOWN), "body");
}

static ERRFN check(struct call *call, const struct approval *a)
{
    if (a->role[0] == '\0') {
        return call_refuse(call, E(FIELD_MISSING), "body.role");
    }
    if (!role_is_known(view_text(a->role))) {
        return call_refuse(call, E(ROLE_UNKNOWN), "body.role");
    }
    if (a->hostname[0] && !machine_config_hostname_valid(view_text(a->hostname))) {
        return call_refuse(call, E(FIELD_INVALID), "body.hostname");
    }
    if (a->assigned_ip[0] && !machine_config_address_valid(view_text(a->assigned_ip))) {
        return call_refuse(call, E(FIELD_INVALID), "body.assigned_ip");
    }
    if (a->cluster_id[0] && !cluster_is_valid(view_text(a->cluster_id))) {
        return call_refuse(call, E(FIELD_INVALID), "body.cluster_id");
    }
    return OK;
}

ERRFN approval_parse(struct call *call, struct view body, struct approval *out_approval)
{
    struct approval a = {0};
    const struct text_field fields[] = {
        {"role", "body.role", a.role, sizeof a.role},
        {"hostname", "body.hostname", a.hostname, sizeof a.hostname},
        {"assigned_ip", "body.assigned_ip", a.assigned_ip, sizeof a.assigned_ip},
        {"cluster_id", "body.cluster_id", a.cluster_id, sizeof a.cluster_id},
        {"ek_fingerprint", "body.ek_fingerprint", a.ek_fingerprint, sizeof a.ek_fingerprint},
    };
    /* The message's limit bounds the depth that a parser without recursion limits could be driven to; jansson has its own of 2048. */
    AUTO(json_t) root = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        return call_refuse(call, E(JSON_INVALID), "body");
    }
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        TRY(read_field(call, name, value, fields, sizeof fields / sizeof fields[0], &a));
    }
    TRY(check(call, &a));
    *out_approval = a;
    return OK;
}
