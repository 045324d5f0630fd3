#include "front/node_request.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "front/pcr_values.h"
#include "front/pem.h"

enum { EK_SOURCE_CERT = 1, EK_SOURCE_PUB = 2 }; /* as messages.def numbers them */

/* Contract B.1.4: trimmed, lower-cased, 64 or 96 hex digits; empty when there is none. */
static ERRFN read_fingerprint_if_sent(struct fields *f, struct view *out_fingerprint)
{
    struct view text;
    TRY(field_text(f, "ek_fingerprint", IPC_FINGERPRINT_MAX + 32, "", &text));
    while (text.len > 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && text.data[text.len - 1] == ' ') {
        text.len--;
    }
    *out_fingerprint = VIEW_EMPTY;
    if (text.len == 0) {
        return OK;
    }
    uint8_t digest[IPC_FINGERPRINT_MAX / 2];
    char lower[IPC_FINGERPRINT_MAX + 1];
    ENSURE(text.len == 64 || text.len == 96, FIELD_INVALID);
    TRY(hex_decode(text, digest, text.len / 2));
    hex_encode(view_of(digest, text.len / 2), lower);
    AUTO(buf) kept = NULL;
    TRY(buf_copy(view_text(lower), &kept));
    *out_fingerprint = buf_view(kept);
    return fields_keep(f, STEAL(kept));
}

static ERRFN read_fingerprint(struct fields *f, struct view *out_fingerprint)
{
    TRY(read_fingerprint_if_sent(f, out_fingerprint));
    ENSURE(out_fingerprint->len > 0, FIELD_MISSING);
    return OK;
}

struct ek_fields {
    struct view ek;
    uint8_t source;
    struct view public_area; /* beside a certificate */
};

/* R sends both kinds of material as ek_cert_pem and says which with ek_source; ek_pub is ours. */
static ERRFN read_ek(struct fields *f, struct ek_fields *out)
{
    struct view cert;
    struct view pub;
    struct view source;
    TRY(field_base64(f, "ek_cert_pem", IPC_EK_MAX, &cert));
    TRY(field_base64(f, "ek_pub", IPC_PUBLIC_MAX, &pub));
    TRY(field_text(f, "ek_source", 8, cert.len > 0 ? "cert" : "pub", &source));
    ENSURE(view_is(source, "cert") || view_is(source, "pub"), FIELD_INVALID);
    f->fault = "ek_cert_pem";
    *out = (struct ek_fields){0};
    if (view_is(source, "cert")) {
        *out = (struct ek_fields){.ek = cert, .source = EK_SOURCE_CERT, .public_area = pub};
    } else {
        *out = (struct ek_fields){.ek = pub.len > 0 ? pub : cert, .source = EK_SOURCE_PUB};
    }
    ENSURE(out->ek.len > 0, EK_MISSING);
    return OK;
}

static ERRFN read_hardware(struct fields *f, struct view *out_uuid, struct view *out_mac,
                           struct view *out_serial, struct view *out_product)
{
    TRY(field_text(f, "hw_uuid", IPC_HARDWARE_MAX, "unknown", out_uuid));
    TRY(field_text(f, "hw_mac", IPC_HARDWARE_MAX, "unknown", out_mac));
    TRY(field_text(f, "hw_serial", IPC_HARDWARE_MAX, "unknown", out_serial));
    return field_text(f, "hw_product", IPC_HARDWARE_MAX, "unknown", out_product);
}

ERRFN node_request_register(struct fields *f, struct ipc_self_register_request *out_request)
{
    struct ipc_self_register_request r = {0};
    struct ek_fields ek;
    TRY(read_fingerprint(f, &r.ek_fingerprint));
    TRY(read_ek(f, &ek));
    TRY(read_hardware(f, &r.hw_uuid, &r.hw_mac, &r.hw_serial, &r.hw_product));
    TRY(field_text(f, "desired_role", IPC_NAME_MAX, "", &r.desired_role));
    TRY(field_text(f, "cluster_id", IPC_NAME_MAX, "default", &r.cluster_id));
    r.ek = ek.ek;
    r.ek_source = ek.source;
    *out_request = r;
    return OK;
}

ERRFN node_request_challenge(struct fields *f, struct ipc_challenge_request *out_request)
{
    struct ipc_challenge_request r = {0};
    struct ek_fields ek;
    TRY(read_ek(f, &ek));
    TRY(field_base64(f, "ak_pub", IPC_PUBLIC_MAX, &r.ak_public));
    ENSURE(r.ak_public.len > 0, FIELD_MISSING);
    r.ek = ek.ek;
    r.ek_source = ek.source;
    r.ek_public = ek.public_area;
    *out_request = r;
    return OK;
}

static ERRFN read_evidence(struct fields *f, struct ipc_attest_request *r)
{
    TRY(field_hex(f, "session_id", 16, &r->session_id));
    TRY(field_hex(f, "nonce_id", 16, &r->nonce_id));
    TRY(field_base64(f, "activated_secret", 64, &r->activated_secret));
    TRY(field_base64(f, "ak_pub", IPC_PUBLIC_MAX, &r->ak_public));
    TRY(field_base64(f, "pcr_quote", IPC_QUOTE_MAX, &r->quote));
    TRY(field_base64(f, "pcr_signature", IPC_SIGNATURE_MAX, &r->signature));
    TRY(field_base64(f, "event_log", IPC_EVENT_LOG_MAX, &r->event_log));
    return pcr_values_read(f, "pcr_values", &r->pcr_values);
}

ERRFN node_request_attest(struct fields *f, struct ipc_attest_request *out_request)
{
    struct ipc_attest_request r = {0};
    struct ek_fields ek;
    TRY(read_fingerprint(f, &r.ek_fingerprint));
    TRY(read_ek(f, &ek));
    TRY(read_evidence(f, &r));
    TRY(read_hardware(f, &r.hw_uuid, &r.hw_mac, &r.hw_serial, &r.hw_product));
    r.ek = ek.ek;
    r.ek_source = ek.source;
    *out_request = r;
    return OK;
}

/* R calls the quote `quote` and `quote_sig` here; both names are taken. */
static ERRFN read_quote(struct fields *f, const char *name, const char *name_of_r, size_t max,
                        struct view *out_bytes)
{
    TRY(field_base64(f, name, max, out_bytes));
    return out_bytes->len > 0 ? OK : field_base64(f, name_of_r, max, out_bytes);
}

ERRFN node_request_ak_activate(struct fields *f, struct ipc_ak_activate_request *out_request)
{
    struct ipc_ak_activate_request r = {0};
    struct ek_fields ek;
    TRY(read_fingerprint_if_sent(f, &r.ek_fingerprint));
    TRY(read_ek(f, &ek));
    TRY(field_hex(f, "session_id", 16, &r.session_id));
    TRY(field_hex(f, "nonce_id", 16, &r.nonce_id));
    TRY(field_base64(f, "activated_secret", 64, &r.activated_secret));
    TRY(read_quote(f, "pcr_quote", "quote", IPC_QUOTE_MAX, &r.quote));
    TRY(read_quote(f, "pcr_signature", "quote_sig", IPC_SIGNATURE_MAX, &r.signature));
    TRY(pcr_values_read(f, "pcr_values", &r.pcr_values));
    TRY(field_base64(f, "ak_pub", IPC_PUBLIC_MAX, &r.ak_public));
    ENSURE(r.ak_public.len > 0, FIELD_MISSING);
    r.ek = ek.ek;
    r.ek_source = ek.source;
    *out_request = r;
    return OK;
}

/* all (or absent), enrollment, svid: numbers of messages.def. */
static ERRFN read_profile(struct fields *f, uint8_t *out_profile)
{
    static const char *const names[] = {"all", "enrollment", "svid"};
    struct view name;
    TRY(field_text(f, "profile", 16, "all", &name));
    for (uint8_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (view_is(name, names[i])) {
            *out_profile = i;
            return OK;
        }
    }
    return E(FIELD_INVALID);
}

ERRFN node_request_certificate(struct fields *f, struct ipc_request_cert_request *out_request)
{
    struct ipc_request_cert_request r = {0};
    TRY(read_fingerprint_if_sent(f, &r.ek_fingerprint));
    TRY(field_hex(f, "session_id", 16, &r.session_id));
    TRY(field_hex(f, "nonce_id", 16, &r.nonce_id));
    TRY(field_base64(f, "activated_secret", 64, &r.activated_secret));
    TRY(field_base64(f, "ak_pub", IPC_PUBLIC_MAX, &r.ak_public));
    TRY(field_base64(f, "pcr_quote", IPC_QUOTE_MAX, &r.quote));
    TRY(field_base64(f, "pcr_signature", IPC_SIGNATURE_MAX, &r.signature));
    TRY(pcr_values_read(f, "pcr_values", &r.pcr_values));
    TRY(field_pem(f, "csr_pem", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", IPC_CSR_MAX,
                  &r.csr));
    TRY(field_pem(f, "wrapping_key_pem", "PUBLIC KEY", NULL, IPC_PUBLIC_MAX, &r.wrapping_key));
    TRY(read_profile(f, &r.profile));
    *out_request = r;
    return OK;
}

ERRFN node_request_enroll(struct fields *f, struct ipc_enroll_request *out_request)
{
    struct ipc_enroll_request r = {0};
    TRY(field_pem(f, "cert_pem", "CERTIFICATE", NULL, IPC_CERTIFICATE_MAX, &r.certificate));
    ENSURE(r.certificate.len > 0, FIELD_MISSING);
    TRY(field_hex(f, "nonce_id", 16, &r.nonce_id));
    TRY(field_text(f, "nonce", 64, "", &r.nonce));
    ENSURE(r.nonce.len > 0, FIELD_MISSING);
    TRY(field_base64(f, "nonce_signature", IPC_SIGNATURE_MAX, &r.signature));
    ENSURE(r.signature.len > 0, FIELD_MISSING);
    *out_request = r;
    return OK;
}
