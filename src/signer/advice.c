#include "signer/advice.h"

#include "signer/gate.h"

#include <stdio.h>
#include <string.h>

enum { ADVICE_BYTES = 4096 };

struct listing {
    struct ipc_list *list;
    struct buf *rows;
};

static ERRFN say(struct listing *listing, const char *text)
{
    struct ipc_advice_record row = {.text = view_text(text)};
    return listing->list->count < IPC_ROWS_MAX_advice ? ipc_list_add_advice(listing->list, listing->rows, &row) : OK;
}

/* By the beginning of a failed rule's name; the first row that fits is said once. */
static const struct {
    const char *rule;
    const char *text;
} answers[] = {
    {"policy.scope", "The policy covers other machines: look at its scope, and at this machine's role and cluster."},
    {"policy.attestors", "The policy asks for an attestor that this appliance does not have."},
    {"ek.trust", "Look at its EK with attestation evidence ek; then add the vendor's CA certificate to ek_trust.roots_directory or the policy's "
                 "ek.roots, or allow its hash."},
    {"ek.", "The TPM is not of a kind, age or firmware that policy takes: update its firmware, or change ek in the policy."},
    {"ak.key", "Its attestation key is of a kind that policy does not take; itl-tpm-register makes the strongest the TPM offers."},
    {"quote.required", "It sent no quote: run itl-tpm-register on the node."},
    {"event_log.required", "Have the node send its firmware event log: itl-tpm-register --event-log FILE, as root."},
    {"event_log.readable", "Its event log is damaged; compare with attestation evidence eventlog on the node."},
    {"event_log.replay", "Log and TPM disagree. Don't take this for a changed baseline: either the log was edited, or this firmware writes wrong "
                         "logs, and then must_replay without those PCRs, or an exception, is the way."},
    {"baseline.revoked", "It runs what was revoked: update it."},
};

static const char wanted_change[] =
    "If the change is wanted: attestation policy capture --machine ID, read it, put it into the policy, simulate, activate. For this machine "
    "alone an exception with an expiry does.";

static ERRFN answer(struct listing *listing, const char *rule, uint32_t *said)
{
    size_t count = sizeof answers / sizeof answers[0];
    for (size_t i = 0; i < count; i++) {
        if (strncmp(rule, answers[i].rule, strlen(answers[i].rule)) == 0) {
            bool again = *said >> i & 1;
            *said |= 1U << i;
            return again ? OK : say(listing, answers[i].text);
        }
    }
    bool again = *said >> count & 1;
    *said |= 1U << count;
    return again ? OK : say(listing, wanted_change);
}

static ERRFN answer_failures(struct listing *listing, const struct policy_verdict *verdict)
{
    uint32_t said = 0;
    for (size_t i = 0; i < verdict->failure_count; i++) {
        if (!verdict->failures[i].excused) {
            TRY(answer(listing, verdict->failures[i].rule, &said));
        }
    }
    return OK;
}

static ERRFN answer_state(struct call *call, struct listing *listing, const struct machine *machine)
{
    switch ((enum machine_status)machine->status) {
    case MACHINE_PENDING_APPROVAL:
        return say(listing, "An operator must approve it: attestation machine approve ID --role ROLE.");
    case MACHINE_LOCKED:
        return say(listing, "An operator locked it: attestation machine unlock ID, when the reason is gone.");
    case MACHINE_REVOKED:
    case MACHINE_REJECTED:
        return say(listing, "It stays out. To let the hardware register anew, attestation machine delete ID.");
    case MACHINE_ATTESTED:
        return gate_is_stale(machine, call->now_ms)
                   ? say(listing, "Its evidence is too old, so every gate is closed: have it attest again (itl-tpm-register on the node, with --stay to keep it fresh).")
                   : OK;
    case MACHINE_REGISTERED:
    case MACHINE_NONE:
        return OK;
    }
    return OK;
}

ERRFN advice_list(struct call *call, const struct machine *machine, const struct policy_verdict *verdict, struct ipc_list *out_list)
{
    struct listing listing = {.list = out_list};
    TRY(call_buffer(call, ADVICE_BYTES, &listing.rows));
    TRY(answer_state(call, &listing, machine));
    if (!verdict) {
        return say(&listing, "It has proved nothing yet: have it attest again (itl-tpm-register on the node, with --stay to keep it fresh).");
    }
    TRY(answer_failures(&listing, verdict));
    if (out_list->count == 0 && machine->status == MACHINE_REGISTERED) {
        return say(&listing, "Its last evidence would pass: have it attest.");
    }
    return out_list->count == 0 ? say(&listing, "Nothing to do.") : OK;
}
