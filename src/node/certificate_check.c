#include "node/certificate_check.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "pki/x509_parts.h"

static ERRFN memory(struct view bytes, BIO **out_bio)
{
    ENSURE(bytes.len > 0 && bytes.len <= INT_MAX, CERTIFICATE_INVALID);
    *out_bio = BIO_new_mem_buf(bytes.data, (int)bytes.len);
    ENSURE(*out_bio, NO_MEMORY);
    return OK;
}

static ERRFN read_both(struct view certificate, struct view key, X509 **out_certificate,
                       EVP_PKEY **out_key)
{
    AUTO(BIO) certificate_bio = NULL;
    AUTO(BIO) key_bio = NULL;
    static char no_password[] = "";
    TRY(memory(certificate, &certificate_bio));
    TRY(memory(key, &key_bio));
    *out_certificate = PEM_read_bio_X509(certificate_bio, NULL, NULL, NULL);
    *out_key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, no_password);
    ENSURE(*out_certificate && *out_key, CERTIFICATE_INVALID);
    return OK;
}

/* Absent is "". */
static ERRFN read_name(const X509 *certificate, int nid, char out_text[CERTIFICATE_NAME_SIZE])
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, nid, -1);
    out_text[0] = '\0';
    if (at < 0) {
        return OK;
    }
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    struct view text = view_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    ENSURE(IS_OK(view_to_text(text, out_text, CERTIFICATE_NAME_SIZE)), CERTIFICATE_INVALID);
    return OK;
}

static ERRFN check(struct view certificate, struct view key, struct certificate_facts *facts)
{
    AUTO(X509) read = NULL;
    AUTO(EVP_PKEY) private_key = NULL;
    TRY(read_both(certificate, key, &read, &private_key));
    ENSURE(X509_check_private_key(read, private_key) == 1, CERTIFICATE_INVALID);
    TRY(x509_time_get(X509_get0_notBefore(read), &facts->from_ms));
    TRY(x509_time_get(X509_get0_notAfter(read), &facts->until_ms));
    ENSURE(facts->from_ms < facts->until_ms, CERTIFICATE_INVALID);
    TRY(read_name(read, NID_commonName, facts->machine_id));
    return read_name(read, NID_organizationalUnitName, facts->role);
}

ERRFN certificate_check(struct view certificate, struct view key,
                        struct certificate_facts *out_facts)
{
    struct certificate_facts facts = {0};
    err_t checked = check(certificate, key, &facts);
    ERR_clear_error();
    TRY(checked);
    *out_facts = facts;
    return OK;
}
