#include "tests/node/issue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "pki/x509_parts.h"

static void write_key(EVP_PKEY *key, struct secret **out_pem)
{
    AUTO(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(bio, &text);
    assert_true(IS_OK(secret_copy(view_of(text, (size_t)len), out_pem)));
}

void issue_pair(const char *machine_id, const char *role, uint64_t from_ms, uint64_t until_ms,
                struct certificate_pair *out_pair)
{
    uint8_t serial[X509_SERIAL_BYTES];
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-384");
    AUTO(X509) certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    bool made =
        x509_serial_set(certificate, serial) && x509_name_add(name, "OU", role) &&
        x509_name_add(name, "CN", machine_id) && X509_set_issuer_name(certificate, name) == 1 &&
        x509_time_set(X509_getm_notBefore(certificate), from_ms) &&
        x509_time_set(X509_getm_notAfter(certificate), until_ms) &&
        X509_set_pubkey(certificate, key) == 1 && X509_sign(certificate, key, EVP_sha384()) > 0;
    assert_true(made);
    write_key(key, &out_pair->key);
    assert_true(IS_OK(buf_new(CERTIFICATE_PEM_MAX_BYTES, &out_pair->certificate)));
    assert_true(IS_OK(x509_put_pem(certificate, out_pair->certificate)));
}

void issue_set(struct certificate_set *out_set)
{
    uint64_t now = clock_utc_ms();
    issue_pair("the-machine", "worker-app", now, now + 3600000, &out_set->pairs[0]);
    issue_pair("", "", now, now + 3600000, &out_set->pairs[1]);
    assert_true(IS_OK(buf_copy(view_text("the CA's certificate\n"), &out_set->ca)));
}
