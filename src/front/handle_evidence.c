/* What a machine proved: GET /machines/{id}/evidence, and the last evidence itself: GET
 * /machines/{id}/evidence/latest. */
#include "front/json_write.h"
#include "front/names.h"
#include "front/operator_request.h"
#include "front/pcr_values.h"
#include "front/route.h"

enum { LIST_ANSWER_MAX = 32 * 1024 /* 16 rows of at most 1 KiB */ };

/* The members of an object that is open. */
static void put_evidence(struct json_writer *w, const struct ipc_evidence_record *e)
{
    uint8_t firmware[8];
    for (size_t i = 0; i < sizeof firmware; i++) {
        firmware[i] = (uint8_t)(e->firmware_version >> (8 * (sizeof firmware - 1 - i)));
    }
    json_put_time(w, "time", e->time);
    json_put_text(w, "verdict", view_text(verdict_name(e->verdict)));
    json_put_text(w, "chain", view_text(outcome_name(e->chain)));
    json_put_text(w, "replay", view_text(outcome_name(e->replay)));
    json_put_text_or_null(w, "reason", e->reason);
    json_put_number(w, "policy_number", e->policy_number);
    json_put_number(w, "clock", e->clock);
    json_put_number(w, "reset_count", e->reset_count);
    json_put_number(w, "restart_count", e->restart_count);
    json_put_hex(w, "firmware_version", view_of(firmware, sizeof firmware));
    if (e->event_log_sha384.len > 0) {
        json_put_hex(w, "event_log_sha384", e->event_log_sha384);
    } else {
        json_put_null(w, "event_log_sha384");
    }
}

/* The latest itself has one anyway: of the EK that it goes with. */
static void put_ek_fingerprint(struct json_writer *w, const struct ipc_evidence_record *e)
{
    if (e->ek_fingerprint.len > 0) {
        json_put_hex(w, "ek_fingerprint", e->ek_fingerprint);
    } else {
        json_put_null(w, "ek_fingerprint");
    }
}

static ERRFN answer_evidence(struct exchange *x, struct ipc_list list)
{
    TRY(buf_new(LIST_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    struct ipc_evidence_record evidence;
    json_open(&w, NULL, '[');
    while (ipc_list_next_evidence(&list, &evidence)) {
        json_open(&w, NULL, '{');
        put_evidence(&w, &evidence);
        put_ek_fingerprint(&w, &evidence);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    return json_write_end(&w);
}

ERRFN handle_machine_evidence(struct exchange *x)
{
    struct ipc_machine_evidence_request request = {.machine_id = x->argument};
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_evidence_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_machine_evidence(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? answer_evidence(x, reply.evidence)
                               : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

/* -- the latest itself ------------------------------------------------------------------------- */

static void put_bytes(struct json_writer *w, const char *name, struct view bytes)
{
    if (bytes.len > 0) {
        json_put_base64(w, name, bytes);
    } else {
        json_put_null(w, name);
    }
}

static ERRFN answer_latest(struct exchange *x, const struct ipc_machine_export_reply *reply)
{
    struct ipc_list list = reply->evidence;
    struct ipc_evidence_record evidence;
    ENSURE(ipc_list_next_evidence(&list, &evidence), WIRE);
    TRY(buf_new(ANSWER_MAX_BYTES, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text(&w, "machine_id", reply->machine_id);
    json_put_text(&w, "ek_fingerprint", reply->ek_fingerprint);
    put_evidence(&w, &evidence);
    put_bytes(&w, "pcr_quote", reply->quote);
    put_bytes(&w, "pcr_signature", reply->signature);
    pcr_values_write(&w, "pcr_values", reply->pcr_values);
    put_bytes(&w, "ak_pub", reply->ak_public);
    put_bytes(&w, "ek", reply->ek);
    json_put_text(&w, "ek_source", view_text(ek_source_name(reply->ek_source)));
    put_bytes(&w, "event_log", reply->event_log);
    put_bytes(&w, "accepted_event_log", reply->accepted_event_log);
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_machine_export(struct exchange *x)
{
    struct ipc_machine_export_request request = {.machine_id = x->argument};
    TRY(operator_check_lengths(x));
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    SET_OPERATOR_FIELDS(&request, x);
    struct ipc_machine_export_reply reply;
    struct ipc_answer answer;
    err_t called =
        ipc_call_machine_export(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_latest(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
