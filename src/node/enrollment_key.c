#include "node/enrollment_key.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "pki/csr.h"
#include "pki/x509_parts.h"

void enrollment_key_clear(struct enrollment_key *key)
{
    secret_free(STEAL(key->pem));
    buf_free(STEAL(key->request));
}

/* The memory that OpenSSL writes into is wiped before it is freed. */
static ERRFN write_pem(EVP_PKEY *key, struct secret **out_pem)
{
    AUTO(BIO) bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    ENSURE(bio, NO_MEMORY);
    bool written = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    long len = BIO_get_mem_data(bio, &text);
    err_t copied =
        written && len > 0 ? secret_copy(view_of(text, (size_t)len), out_pem) : E(CRYPTO);
    if (len > 0) {
        bytes_wipe(text, (size_t)len);
    }
    return copied;
}

static ERRFN make(struct enrollment_key *key)
{
    AUTO(EVP_PKEY) made = EVP_EC_gen("P-384");
    ENSURE(made, CRYPTO);
    TRY(buf_new(CSR_MAX_BYTES, &key->request));
    TRY(csr_make(made, key->request));
    return write_pem(made, &key->pem);
}

ERRFN enrollment_key_make(struct enrollment_key *out_key)
{
    struct enrollment_key key = {0};
    err_t made = make(&key);
    if (!IS_OK(made)) {
        enrollment_key_clear(&key);
        return made;
    }
    *out_key = key;
    return OK;
}
