/* For appliance_stub.py: issues a certificate as the appliance does, by a CA of the moment, and
 * prints it and the CA's as JSON.
 *
 *   issuer CSR MACHINE_ID ROLE FROM_S UNTIL_S   → certificate, ca     CSR is DER in base64 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/ec.h>

#include "base/text.h"
#include "https/json.h"
#include "pki/csr.h"
#include "pki/x509_parts.h"

static ERRFN sign(const char *name, const char *role, char **times, EVP_PKEY *key, X509 *made)
{
    uint8_t serial[X509_SERIAL_BYTES];
    X509_NAME *subject = X509_get_subject_name(made);
    ENSURE(x509_serial_set(made, serial) && x509_name_add(subject, "OU", role) &&
               x509_name_add(subject, "CN", name) && X509_set_issuer_name(made, subject) == 1 &&
               x509_time_set(X509_getm_notBefore(made), strtoull(times[0], NULL, 10) * 1000) &&
               x509_time_set(X509_getm_notAfter(made), strtoull(times[1], NULL, 10) * 1000) &&
               X509_sign(made, key, EVP_sha384()) > 0,
           CRYPTO);
    return OK;
}

static ERRFN put(const char *field, X509 *certificate, json_t *object)
{
    AUTO(buf) pem = NULL;
    TRY(buf_new(8192, &pem));
    TRY(x509_put_pem(certificate, pem));
    AUTO(json) text = json_stringn((const char *)pem->data, pem->len);
    ENSURE(text && json_object_set(object, field, text) == 0, NO_MEMORY);
    return OK;
}

static ERRFN issue(char **argv, json_t *object)
{
    AUTO(buf) csr = NULL;
    AUTO(buf) spki = NULL;
    AUTO(EVP_PKEY) key = EVP_EC_gen("P-384");
    AUTO(X509) certificate = X509_new();
    AUTO(X509) ca = X509_new();
    TRY(buf_new(CSR_MAX_BYTES, &csr));
    TRY(base64_decode(view_text(argv[1]), csr));
    TRY(csr_parse(buf_view(csr), &spki));
    ENSURE(x509_key_set(certificate, buf_view(spki)) && X509_set_pubkey(ca, key) == 1, CRYPTO);
    TRY(sign(argv[2], argv[3], argv + 4, key, certificate));
    TRY(sign("CA", "", argv + 4, key, ca));
    TRY(put("certificate", certificate, object));
    return put("ca", ca, object);
}

int main(int argc, char **argv)
{
    AUTO(json) object = json_object();
    AUTO(buf) text = NULL;
    err_t e = argc == 6 ? issue(argv, object) : E(BAD_REQUEST);
    e = IS_OK(e) ? json_write(object, 0, 1 << 16, &text) : e;
    if (!IS_OK(e)) {
        fprintf(stderr, "issuer: %s\n", err_reason(e));
        return EXIT_FAILURE;
    }
    printf("%.*s\n", (int)text->len, (const char *)text->data);
    return EXIT_SUCCESS;
}
