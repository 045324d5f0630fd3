/* GET /certificates, POST /certificates/{serial}/revoke. */
#include "base/text.h"
#include "signer/body.h"
#include "signer/certificate_record.h"
#include "signer/operator.h"
#include "signer/record.h"
#include "sql/certificates.h"

#include <string.h>

struct listing {
    struct ipc_list *list;
    struct buf *storage;
    uint32_t limit;
    bool more;
};

static err_t add_row(void *context, const struct certificate *certificate)
{
    struct listing *listing = context;
    if (listing->list->count >= listing->limit) {
        listing->more = true;
        return OK;
    }
    struct ipc_certificate_record record = certificate_record(certificate);
    return ipc_list_add_certificate(listing->list, listing->storage, &record);
}

static ERRFN read_serial(struct view text, uint8_t out_serial[static CERTIFICATE_SERIAL_BYTES])
{
    ENSURE(IS_OK(hex_decode(text, out_serial, CERTIFICATE_SERIAL_BYTES)), CERTIFICATE_UNKNOWN);
    return OK;
}

ERRFN handle_certificate_list(struct call *call, const struct ipc_certificate_list_request *request,
                              struct ipc_certificate_list_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    char machine_id[MACHINE_ID_SIZE];
    uint8_t after[CERTIFICATE_SERIAL_BYTES];
    struct listing listing = {.list = &out_reply->certificates,
                              .limit = request->limit ? request->limit : IPC_ROWS_MAX_certificate};
    TRY(operator_may_read(call, &act));
    TRY(view_to_text(request->machine_id, machine_id, sizeof machine_id));
    if (request->after.len > 0) {
        TRY(read_serial(request->after, after));
    }
    TRY(call_buffer(call, (size_t)listing.limit * CERTIFICATE_RECORD_MAX_BYTES, &listing.storage));
    /* One more than asked for tells whether there are more. */
    TRY(certificate_list(call->signer->db, machine_id, request->after.len > 0 ? after : NULL, listing.limit + 1, add_row, &listing));
    out_reply->more = listing.more;
    return OK;
}

static ERRFN revoke(struct call *call, const uint8_t *serial, const char *serial_text, const char *reason,
                    struct certificate *out_certificate)
{
    struct db *db = call->signer->db;
    TRY(certificate_get(db, serial, out_certificate));
    memcpy(call->machine_id, out_certificate->machine_id, sizeof call->machine_id);
    TRY(certificate_revoke(db, serial, call->now_ms, CERTIFICATE_REASON_UNSPECIFIED));
    TRY(certificate_get(db, serial, out_certificate));
    AUTO(buf) detail = NULL;
    TRY(buf_new(128, &detail));
    TRY(buf_printf(detail, "{\"serial\":\"%s\"}", serial_text));
    TRY(buf_put_u8(detail, 0));
    return record_act(call, "certificate_revoke", NULL, NULL, reason[0] ? reason : NULL, (const char *)detail->data);
}

ERRFN handle_certificate_revoke(struct call *call, const struct ipc_certificate_revoke_request *request,
                                struct ipc_certificate_revoke_reply *out_reply)
{
    struct operator_act act = OPERATOR_ACT(request);
    char reason[257] = "";
    char text[HEX_TEXT_SIZE(CERTIFICATE_SERIAL_BYTES)];
    uint8_t serial[CERTIFICATE_SERIAL_BYTES];
    struct certificate certificate;
    const struct body_field fields[] = {{"reason", "body.reason", reason, sizeof reason, NULL}};
    TRY(operator_may_read(call, &act));
    if (request->body.len > 0) {
        TRY(body_read(call, request->body, fields, 1));
    }
    TRY(read_serial(request->serial, serial));
    hex_encode(view_of(serial, sizeof serial), text);
    TRY(revoke(call, serial, text, reason, &certificate));
    struct buf *storage;
    TRY(call_buffer(call, CERTIFICATE_RECORD_MAX_BYTES, &storage));
    struct ipc_certificate_record record = certificate_record(&certificate);
    return ipc_list_add_certificate(&out_reply->certificate, storage, &record);
}
