#include "signer/approval.h"

#include "signer/body.h"
#include "signer/roles.h"
#include "talos/machine_config.h"

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
    const struct body_field fields[] = {
        {"role", "body.role", a.role, sizeof a.role, NULL},
        {"hostname", "body.hostname", a.hostname, sizeof a.hostname, NULL},
        {"assigned_ip", "body.assigned_ip", a.assigned_ip, sizeof a.assigned_ip, NULL},
        {"cluster_id", "body.cluster_id", a.cluster_id, sizeof a.cluster_id, NULL},
        {"ek_fingerprint", "body.ek_fingerprint", a.ek_fingerprint, sizeof a.ek_fingerprint, NULL},
        {"accept_unverified_ek", "body.accept_unverified_ek", NULL, 0, &a.accept_unverified_ek},
    };
    TRY(body_read(call, body, fields, sizeof fields / sizeof fields[0]));
    TRY(check(call, &a));
    *out_approval = a;
    return OK;
}
