#include "pki/issue.h"

#include <openssl/err.h>

void issued_clear(struct issued *issued)
{
    buf_free(STEAL(issued->der));
    buf_free(STEAL(issued->pem));
}

/* One field of the CA's own subject, as it stands there. */
static bool copy_field(const struct ca *ca, int nid, X509_NAME *name)
{
    const X509_NAME *subject = X509_get_subject_name(ca->certificate);
    int at = X509_NAME_get_index_by_NID(subject, nid, -1);
    return at < 0 || X509_NAME_add_entry(name, X509_NAME_get_entry(subject, at), -1, 0) == 1;
}

static bool fill_subject(const struct ca *ca, const struct issue_facts *facts, X509 *certificate)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    bool filled = copy_field(ca, NID_countryName, name) && copy_field(ca, NID_organizationName, name);
    if (facts->profile == ISSUE_SVID) {
        return filled;
    }
    return filled && x509_name_add(name, "OU", facts->role) && x509_name_add(name, "CN", facts->machine_id);
}

static bool fill_times(const struct ca *ca, const struct issue_facts *facts, X509 *certificate, struct issued *issued)
{
    uint64_t end = facts->now_ms + facts->lifetime_ms;
    uint64_t begin = facts->now_ms - ISSUE_BACKDATE_MS;
    /* Certificates hold whole seconds. */
    issued->not_before_ms = (begin > ca->not_before_ms ? begin : ca->not_before_ms) / 1000 * 1000;
    issued->not_after_ms = (end < ca->not_after_ms ? end : ca->not_after_ms) / 1000 * 1000;
    return x509_time_set(X509_getm_notBefore(certificate), issued->not_before_ms) &&
           x509_time_set(X509_getm_notAfter(certificate), issued->not_after_ms);
}

static bool fill_extensions(const struct ca *ca, const struct issue_facts *facts, X509 *certificate)
{
    const char *purposes = facts->profile == ISSUE_SVID ? "serverAuth,clientAuth" : "clientAuth";
    return x509_extension_add(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           x509_extension_add(certificate, NID_key_usage, "critical,digitalSignature") &&
           x509_extension_add(certificate, NID_ext_key_usage, purposes) && x509_key_identifier_add(certificate) &&
           x509_authority_add(certificate, ca->certificate) && x509_uri_add(certificate, facts->uri) &&
           (facts->crl_url[0] == '\0' || x509_distribution_point_add(certificate, facts->crl_url));
}

static ERRFN make(const struct ca *ca, const struct issue_facts *facts, struct issued *issued)
{
    AUTO(X509) certificate = X509_new();
    ENSURE(certificate, NO_MEMORY);
    bool filled = X509_set_version(certificate, X509_VERSION_3) == 1 && x509_serial_set(certificate, issued->serial) &&
                  X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate)) == 1 &&
                  fill_subject(ca, facts, certificate) && fill_times(ca, facts, certificate, issued) &&
                  x509_key_set(certificate, facts->spki) && fill_extensions(ca, facts, certificate);
    ERR_clear_error();
    ENSURE(filled, CRYPTO);
    TRY(ca->key.sign_certificate(ca->key.context, certificate));
    TRY(buf_new(X509_DER_MAX_BYTES, &issued->der));
    TRY(buf_new(2 * X509_DER_MAX_BYTES, &issued->pem));
    TRY(x509_put_der(certificate, issued->der));
    return x509_put_pem(certificate, issued->pem);
}

ERRFN certificate_issue(const struct ca *ca, const struct issue_facts *facts, struct issued *out_issued)
{
    struct issued issued = {0};
    err_t made = make(ca, facts, &issued);
    if (!IS_OK(made)) {
        issued_clear(&issued);
        return made;
    }
    *out_issued = issued;
    return OK;
}
