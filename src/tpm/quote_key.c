#include "tpm/quote_key.h"

#include "tpm/der.h"
#include "tpm/pem.h"
#include "tpm/public.h"
#include "tpm/spki.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static ERRFN read_certificate(struct view der, EVP_PKEY **out_key)
{
    const uint8_t *end = der.data;
    bool oaep;
    X509 *cert = d2i_X509(NULL, &end, (long)der.len);
    err_t read =
        cert && end == der.data + der.len ? spki_from_x509(cert, out_key, &oaep) : E(EK_UNREADABLE);
    X509_free(cert);
    return read;
}

static ERRFN read_der(struct view der, EVP_PKEY **out_key)
{
    bool oaep;
    err_t read = spki_parse(der, out_key, &oaep);
    read = IS_E(read, EK_UNREADABLE) ? spki_parse_pkcs1(der, out_key) : read;
    return IS_E(read, EK_UNREADABLE) ? read_certificate(der, out_key) : read;
}

static ERRFN read_pem(struct view text, EVP_PKEY **out_key)
{
    struct pem_reader reader = pem_open(text);
    struct pem_block block;
    err_t read = pem_next(&reader, &block);
    ENSURE(!IS_E(read, NOT_FOUND) && !IS_E(read, FIELD_INVALID), EK_UNREADABLE);
    TRY(read);
    read = read_der(buf_view(block.der), out_key);
    buf_free(block.der);
    return read;
}

/* TPM 2.0 Part 1 section 16. */
static ERRFN set_name(struct quote_key *key, const struct tpm_public *pub)
{
    if (!tpm_hash_md(pub->name_alg)) {
        return OK;
    }
    size_t len;
    TRY(tpm_hash(pub->name_alg, pub->area, key->name + 2, &len));
    key->name[0] = (uint8_t)(pub->name_alg >> 8);
    key->name[1] = (uint8_t)pub->name_alg;
    key->name_len = 2 + len;
    return OK;
}

/* What the appliance would say of it. */
static ERRFN find_fault(struct quote_key *key, const struct tpm_public *pub)
{
    AUTO(buf) sized = NULL;
    AUTO(ak) ak = NULL;
    TRY(buf_new(2 + PUBLIC_MAX_BYTES, &sized));
    TRY(buf_put_u16(sized, (uint16_t)pub->area.len));
    TRY(buf_put(sized, pub->area));
    key->fault = ak_parse(buf_view(sized), &ak);
    return OK;
}

static ERRFN read_area(struct view sent, struct quote_key *key)
{
    struct tpm_public pub;
    TRY(public_parse(sent, E(EK_UNREADABLE), &pub));
    TRY(public_key(&pub, &key->key, &key->type));
    if (pub.scheme != TPM_ALG_NULL) {
        key->scheme = pub.scheme;
        key->hash_alg = pub.scheme_hash;
    }
    TRY(set_name(key, &pub));
    return find_fault(key, &pub);
}

static ERRFN read_key(struct view sent, struct quote_key *key)
{
    ENSURE(sent.len > 0, EK_UNREADABLE);
    if (pem_is(sent)) {
        TRY(read_pem(sent, &key->key));
    } else if (sent.data[0] == DER_SEQUENCE) {
        TRY(read_der(sent, &key->key));
    } else {
        return read_area(sent, key);
    }
    return spki_key_type(key->key, &key->type);
}

ERRFN quote_key_read(struct view sent, struct quote_key **out_key)
{
    AUTO(quote_key) key = calloc(1, sizeof *key);
    ENSURE(key, NO_MEMORY);
    ERR_set_mark();
    err_t read = read_key(sent, key);
    ERR_pop_to_mark();
    ENSURE(!IS_E(read, EK_UNREADABLE), AK_UNREADABLE);
    ENSURE(!IS_E(read, EK_KEY_UNSUPPORTED), AK_ALGORITHM);
    TRY(read);
    *out_key = STEAL(key);
    return OK;
}

void quote_key_free(struct quote_key *key)
{
    if (key) {
        EVP_PKEY_free(key->key);
        free(key);
    }
}
