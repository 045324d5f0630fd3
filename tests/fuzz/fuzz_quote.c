/* The first byte says how much of the rest is the quote, in sixteenths; what remains is a signature
 * for it. */
#include "tpm/quote_verdict.h"

#include "base/text.h"
#include "tpm/spki.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The points of P-256's generator and an RSA modulus of ones: whose keys they are does not matter.
 */
static EVP_PKEY *ec_key(void)
{
    static const char x[] = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    static const char y[] = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    uint8_t point[2][32];
    EVP_PKEY *key = NULL;
    if (!IS_OK(hex_decode(view_text(x), point[0], 32)) ||
        !IS_OK(hex_decode(view_text(y), point[1], 32)) ||
        !IS_OK(spki_key_from_point(TPM_KEY_P256, view_of(point[0], 32), view_of(point[1], 32),
                                   &key))) {
        abort();
    }
    return key;
}

static EVP_PKEY *rsa_key(void)
{
    static const uint8_t modulus[256] = {[0 ... 255] = 0xff};
    EVP_PKEY *key = NULL;
    if (!IS_OK(spki_key_from_rsa(view_of(modulus, 256), view_of("\x01\x00\x01", 3), &key))) {
        abort();
    }
    return key;
}

/* All of it at once, with keys that say no scheme: nobody can sign with them. */
static void judge(EVP_PKEY *key, enum tpm_key type, struct view sent, struct view signature)
{
    struct quote_key bare = {.key = key, .type = type};
    struct quote_evidence evidence = {.quote = sent, .signature = signature, .key = &bare};
    struct quote_verdict verdict;
    if (IS_OK(quote_judge(&evidence, &verdict)) ? verdict.count == 0
                                                : verdict.offset > sent.len + signature.len) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static EVP_PKEY *ec;
    static EVP_PKEY *rsa;
    if (!ec) {
        ec = ec_key();
        rsa = rsa_key();
    }
    if (size < 1) {
        return 0;
    }
    size_t len = (size - 1) * (data[0] & 15) / 15;
    struct view sent = view_of(data + 1, len);
    struct view signature = view_of(data + 1 + len, size - 1 - len);
    AUTO(quote_key) read = NULL;
    IGNORE_ERR(quote_key_read(signature, &read));
    judge(ec, TPM_KEY_P256, sent, signature);
    judge(rsa, TPM_KEY_RSA_2048, sent, signature);
    struct quote quote;
    if (!IS_OK(quote_parse(sent, &quote))) {
        quote.attest = sent;
    } else if (quote.attest.len > sent.len || pcr_selection_empty(&quote.selection)) {
        abort();
    }
    IGNORE_ERR(
        quote_check_signature_key(ec, TPM_ALG_ECDSA, TPM_ALG_SHA256, quote.attest, signature));
    IGNORE_ERR(
        quote_check_signature_key(rsa, TPM_ALG_RSASSA, TPM_ALG_SHA384, quote.attest, signature));
    IGNORE_ERR(
        quote_check_signature_key(rsa, TPM_ALG_RSAPSS, TPM_ALG_SHA512, quote.attest, signature));
    return 0;
}
