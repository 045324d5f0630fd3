#include "front/names.h"

#include "ipc/messages.h"

enum { STATUS_COUNT = 7 };

static const char *const statuses[STATUS_COUNT] = {
    "unknown", "pending_approval", "registered", "attested", "locked", "revoked", "rejected",
};

const char *status_name(uint8_t status)
{
    return statuses[status < STATUS_COUNT ? status : 0];
}

uint8_t status_from_name(struct view name)
{
    for (uint8_t i = 1; i < STATUS_COUNT; i++) {
        if (view_is(name, statuses[i])) {
            return i;
        }
    }
    return 0;
}

const char *action_name(uint8_t action)
{
    switch ((enum ipc_action)action) {
    case IPC_ACTION_NONE:
        return "none";
    case IPC_ACTION_APPLY_CONFIG:
        return "apply-config";
    case IPC_ACTION_LOCK:
        return "lock";
    case IPC_ACTION_WIPE:
        return "wipe";
    }
    return "none";
}

const char *outcome_name(uint8_t outcome)
{
    switch ((enum ipc_outcome)outcome) {
    case IPC_OUTCOME_NOT_EVALUATED:
        return "not_evaluated";
    case IPC_OUTCOME_PASS:
        return "pass";
    case IPC_OUTCOME_FAIL:
        return "fail";
    }
    return "not_evaluated";
}

const char *event_log_name(uint8_t event_log)
{
    switch ((enum ipc_event_log)event_log) {
    case IPC_EVENT_LOG_OPTIONAL:
        return "optional";
    case IPC_EVENT_LOG_REQUIRED:
        return "required";
    case IPC_EVENT_LOG_KNOWN:
        return "known";
    }
    return "optional";
}

const char *verdict_name(uint8_t verdict)
{
    switch ((enum ipc_verdict)verdict) {
    case IPC_VERDICT_NOT_EVALUATED:
        return "not_evaluated";
    case IPC_VERDICT_PASS:
        return "pass";
    case IPC_VERDICT_FAIL:
        return "fail";
    case IPC_VERDICT_TELEMETRY:
        return "telemetry";
    }
    return "not_evaluated";
}

const char *certificate_kind_name(uint8_t kind)
{
    return kind == 1 ? "enrollment" : kind == 2 ? "svid" : "none";
}

const char *revocation_reason_name(uint8_t reason)
{
    static const char *const names[] = {
        "unspecified",     "key_compromise",         "ca_compromise",    "affiliation_changed",
        "superseded",      "cessation_of_operation", "certificate_hold", "unspecified",
        "remove_from_crl", "privilege_withdrawn",    "aa_compromise",
    };
    return reason < sizeof names / sizeof names[0] ? names[reason] : "unspecified";
}

const char *ek_source_name(uint8_t source)
{
    return source == 1 ? "cert" : source == 2 ? "pub" : "none";
}
