/* POST /api/v1/machines/{id}/request-cert and /api/v1/machines/enroll (contract A.3, B.1.18,
 * B.1.19). */
#include "base/clock.h"
#include "front/attest_answer.h"
#include "front/json_write.h"
#include "front/names.h"
#include "front/node_request.h"
#include "front/route.h"

enum {
    CERTIFICATE_ANSWER_MAX = 64 * 1024 /* three certificates, escaped */,
    DAY_MS = 24 * 3600 * 1000
};

/* The reference tells the time in days. */
static uint64_t days_until(uint64_t utc_ms, uint64_t now_ms)
{
    return utc_ms > now_ms ? (utc_ms - now_ms + DAY_MS - 1) / DAY_MS : 0;
}

static void put_wrapping(struct json_writer *w, const struct ipc_request_cert_reply *reply)
{
    if (reply->wrapped_key.len == 0) {
        json_put_null(w, "enrollment_key_wrapping");
        return;
    }
    json_open(w, "enrollment_key_wrapping", '{');
    json_put_text(w, "format", view_text("rsa-oaep-sha256+aes256gcm"));
    json_put_base64(w, "wrapped_key", reply->wrapped_key);
    json_put_base64(w, "iv", reply->iv);
    json_close(w, '}');
}

static ERRFN answer_request(struct exchange *x, const struct ipc_request_cert_reply *reply)
{
    uint64_t end = reply->expires_at ? reply->expires_at : reply->svid_expires_at;
    TRY(buf_new(CERTIFICATE_ANSWER_MAX, &x->answer));
    struct json_writer w = {.out = x->answer};
    json_open(&w, NULL, '{');
    json_put_text(&w, "machine_id", reply->machine_id);
    json_put_text(&w, "role", reply->role);
    json_put_text(&w, "enrollment_cert_pem", reply->certificate);
    json_put_text(&w, "enrollment_key_pem", VIEW_EMPTY); /* no key ever leaves in the clear */
    json_put_base64(&w, "enrollment_key_encrypted_b64", reply->encrypted_key);
    put_wrapping(&w, reply);
    json_put_text(&w, "enrollment_ca_pem", reply->ca);
    json_put_number(&w, "valid_days", days_until(end, clock_utc_ms()));
    json_put_time(&w, "expires_at", reply->expires_at);
    json_put_text_or_null(&w, "svid_pem", reply->svid);
    json_put_text_or_null(&w, "spiffe_id", reply->spiffe_id);
    json_put_time(&w, "svid_expires_at", reply->svid_expires_at);
    json_put_text(&w, "message", view_text("Certificates issued; renew them in good time."));
    json_close(&w, '}');
    return json_write_end(&w);
}

ERRFN handle_request_cert(struct exchange *x)
{
    AUTO(fields) f = NULL;
    struct ipc_request_cert_request request;
    ENSURE(x->argument.len <= IPC_UUID_MAX, MACHINE_UNKNOWN);
    TRY(exchange_fields(x, &f));
    err_t decoded = node_request_certificate(f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    request.machine_id = x->argument;
    struct ipc_request_cert_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_request_cert(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_request(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}

static const char *enroll_message(const struct ipc_enroll_reply *reply)
{
    if (reply->reason != 0) {
        return err_text(err_from_code(reply->reason));
    }
    return reply->again
               ? "Known and attested; attest with the TPM to fetch the configuration."
               : "Attested by certificate; attest with the TPM to fetch the configuration.";
}

/* Answers like attest; what needs evidence of the TPM is not there. */
/* A certificate says who a machine is and nothing of what it booted, so there is no verdict. */
static ERRFN answer_enroll(struct exchange *x, const struct ipc_enroll_reply *reply)
{
    const struct ipc_attest_reply answer = {
        .machine_id = reply->machine_id,
        .status = reply->status,
        .proved = 1,
        .action = IPC_ACTION_NONE,
        .hostname = reply->hostname,
        .role = reply->role,
        .reason = reply->reason,
        .verdict = IPC_VERDICT_NOT_EVALUATED,
        .chain = IPC_OUTCOME_NOT_EVALUATED,
        .replay = IPC_OUTCOME_NOT_EVALUATED,
        .policy = IPC_OUTCOME_NOT_EVALUATED,
        .assurance = reply->assurance,
    };
    return attest_answer(x, &answer, enroll_message(reply));
}

/* A connection with a client certificate needs no other. */
static ERRFN read_enroll(const struct exchange *x, struct fields *f,
                         struct ipc_enroll_request *out_request)
{
    if (x->handshake.len > 0 && !field_find(f, "cert_pem")) {
        *out_request = (struct ipc_enroll_request){.handshake = x->handshake};
        return OK;
    }
    return node_request_enroll(f, out_request);
}

ERRFN handle_enroll(struct exchange *x)
{
    AUTO(fields) f = NULL;
    struct ipc_enroll_request request;
    TRY(exchange_fields(x, &f));
    err_t decoded = read_enroll(x, f, &request);
    if (!IS_OK(decoded)) {
        return exchange_fault(x, decoded, "body", f->fault);
    }
    request.source_ip = view_text(x->source_ip);
    struct ipc_enroll_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_enroll(x->front->api, &request, API_DEADLINE_MS, &answer, &reply);
    err_t done =
        IS_OK(called) ? answer_enroll(x, &reply) : exchange_refused(x, called, &answer.refusal);
    ipc_answer_clear(&answer);
    return done;
}
