#include "signer/issuer.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "pki/issue.h"
#include "pki/spiffe.h"
#include "signer/record.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)X509_SERIAL_BYTES == (int)CERTIFICATE_SERIAL_BYTES, "the inventory stores what certificates hold");

static err_t sign_certificate(void *context, X509 *certificate)
{
    struct signer *s = context;
    return hsm_provider_sign_certificate(s->provider, s->ca_key, certificate);
}

static err_t sign_list(void *context, X509_CRL *list)
{
    struct signer *s = context;
    return hsm_provider_sign_crl(s->provider, s->ca_key, list);
}

static ERRFN open_ca(struct signer *s)
{
    const struct ca_key key = {.context = s, .sign_certificate = sign_certificate, .sign_list = sign_list};
    struct hsm_key *token_key;
    AUTO(EVP_PKEY) public_key = NULL;
    AUTO(buf) pem = NULL;
    TRY(fd_read_file(s->settings.ca_certificate_path, CA_PEM_MAX_BYTES, &pem));
    TRY(hsm_key_find(s->hsm, HSM_ROLE_ENROLLMENT_CA, &token_key));
    TRY(hsm_public_key(token_key, &public_key));
    TRY(hsm_provider_key(s->provider, HSM_ROLE_ENROLLMENT_CA, &s->ca_key));
    TRY(ca_new(buf_view(pem), public_key, clock_utc_ms(), &key, &s->ca));
    return ca_exercise(s->ca);
}

ERRFN issuer_open(struct signer *s, const char **out_subject)
{
    *out_subject = s->settings.ca_certificate_path;
    TRY(open_ca(s));
    *out_subject = "pki.trust_domain";
    ENSURE(s->settings.trust_domain[0] == '\0' || spiffe_trust_domain_valid(s->settings.trust_domain), CONFIG_INVALID);
    *out_subject = "pki.spiffe_id_template";
    ENSURE(spiffe_template_valid(s->settings.spiffe_id_template), CONFIG_INVALID);
    return OK;
}

/* -- issuing ---------------------------------------------------------------------------------------------------- */

static ERRFN make_uri(struct call *call, const struct machine *machine, const struct ek *ek, enum certificate_kind kind,
                      char out_uri[static SPIFFE_ID_SIZE])
{
    const struct signer_settings *settings = &call->signer->settings;
    if (kind == CERTIFICATE_ENROLLMENT) {
        snprintf(out_uri, SPIFFE_ID_SIZE, "urn:itl:ek:%s", machine->ek_fingerprint);
        return OK;
    }
    ENSURE(settings->trust_domain[0], SVID_OFF);
    const struct spiffe_facts facts = {
        .public_hash = machine->ek_public_hash,
        .serial_number = ek->serial,
        .manufacturer = machine->ek_manufacturer,
        .model = machine->ek_model,
        .version = machine->ek_version,
        .machine_id = machine->machine_id,
        .role = machine->role,
        .cluster = machine->cluster_id,
        .hostname = machine->hostname,
    };
    return spiffe_id_make(settings->trust_domain, settings->spiffe_id_template, &facts, out_uri);
}

static ERRFN check_room(struct call *call, const struct machine *machine, enum certificate_kind kind)
{
    uint64_t live;
    TRY(certificate_count_live(call->signer->db, machine->machine_id, kind, call->now_ms, &live));
    ENSURE(live < (kind == CERTIFICATE_SVID ? SVIDS_LIVE_MAX : ENROLLMENTS_LIVE_MAX), CERTIFICATE_LIMIT);
    return OK;
}

ERRFN issuer_check(struct call *call, const struct machine *machine, const struct ek *ek, enum certificate_kind kind)
{
    char uri[SPIFFE_ID_SIZE];
    TRY(make_uri(call, machine, ek, kind, uri));
    return check_room(call, machine, kind);
}

static ERRFN record(struct call *call, const struct machine *machine, const char *uri, enum certificate_kind kind,
                    const struct issued *issued)
{
    char serial[HEX_TEXT_SIZE(CERTIFICATE_SERIAL_BYTES)];
    char end[CLOCK_TEXT_SIZE];
    struct certificate row = {.kind = (int)kind, .not_before_ms = issued->not_before_ms, .not_after_ms = issued->not_after_ms};
    memcpy(row.serial, issued->serial, sizeof row.serial);
    memcpy(row.machine_id, machine->machine_id, sizeof row.machine_id);
    memcpy(row.role, machine->role, sizeof row.role);
    TRY(view_to_text(view_text(uri), row.name, sizeof row.name));
    TRY(sha256(buf_view(issued->der), row.sha256));
    TRY(certificate_put(call->signer->db, &row));
    hex_encode(view_of(row.serial, sizeof row.serial), serial);
    clock_format(row.not_after_ms, end);
    AUTO(buf) detail = NULL;
    TRY(buf_new(1024, &detail));
    TRY(buf_printf(detail, "{\"serial\":\"%s\",\"name\":\"%s\",\"expires_at\":\"%s\"}", serial, uri, end));
    TRY(buf_put_u8(detail, 0));
    const char *state = machine_status_name((enum machine_status)machine->status);
    return record_act(call, "certificate_issue", state, state, NULL, (const char *)detail->data);
}

static ERRFN hand_out(struct call *call, const char *uri, const struct issued *issued, struct issuance *out_issuance)
{
    struct buf *pem;
    TRY(call_buffer(call, issued->pem->len, &pem));
    TRY(buf_put(pem, buf_view(issued->pem)));
    TRY(call_text(call, uri, &out_issuance->uri));
    out_issuance->pem = buf_view(pem);
    out_issuance->expires_at = issued->not_after_ms;
    return OK;
}

static ERRFN crl_url(const struct signer *s, char *out_url, size_t size)
{
    out_url[0] = '\0';
    if (s->settings.pki_url[0]) {
        int len = snprintf(out_url, size, "%s/pki/enrollment-ca.crl", s->settings.pki_url);
        ENSURE(len > 0 && (size_t)len < size, TOO_LONG);
    }
    return OK;
}

ERRFN issuer_issue(struct call *call, const struct machine *machine, const struct ek *ek, struct view spki,
                   enum certificate_kind kind, struct issuance *out_issuance)
{
    const struct signer *s = call->signer;
    char uri[SPIFFE_ID_SIZE];
    char list[sizeof s->settings.pki_url + 32];
    struct issued issued;
    TRY(make_uri(call, machine, ek, kind, uri));
    TRY(crl_url(s, list, sizeof list));
    TRY(check_room(call, machine, kind));
    const struct issue_facts facts = {
        .profile = kind == CERTIFICATE_SVID ? ISSUE_SVID : ISSUE_ENROLLMENT,
        .spki = spki,
        .machine_id = machine->machine_id,
        .role = machine->role,
        .uri = uri,
        .crl_url = list,
        .now_ms = call->now_ms,
        .lifetime_ms = kind == CERTIFICATE_SVID ? s->settings.svid_ms : s->settings.certificate_ms,
    };
    TRY(certificate_issue(s->ca, &facts, &issued));
    err_t kept = record(call, machine, uri, kind, &issued);
    kept = IS_OK(kept) ? hand_out(call, uri, &issued, out_issuance) : kept;
    issued_clear(&issued);
    return kept;
}
