#include "signer/evidence_record.h"

#include "signer/verdict.h"

struct ipc_evidence_record evidence_on_wire(const struct evidence_record *e)
{
    return (struct ipc_evidence_record){
        .time = e->time_ms,
        .verdict = verdict_on_wire((enum policy_result)e->verdict),
        .chain = outcome_on_wire((enum policy_outcome)e->chain),
        .replay = outcome_on_wire((enum policy_outcome)e->replay),
        .reason = view_text(e->reason),
        .policy_number = e->policy_number,
        .clock = e->clock,
        .reset_count = e->reset_count,
        .restart_count = e->restart_count,
        .firmware_version = e->firmware_version,
        .event_log_sha384 = e->event_log_sha384,
        .ek_fingerprint = e->ek_fingerprint,
    };
}
