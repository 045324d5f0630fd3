#include "tpm/ek.h"

#include "base/text.h"
#include "tpm/ek_read.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static ERRFN begin(struct view sent, enum ek_source source, struct ek **out_ek)
{
    ENSURE(sent.len > 0, EK_MISSING);
    ENSURE(sent.len <= EK_MAX_BYTES, TOO_LONG);
    AUTO(ek) ek = calloc(1, sizeof *ek);
    ENSURE(ek, NO_MEMORY);
    ek->source = source;
    TRY(sha384(sent, ek->sent_sha384));
    TRY(sha256(sent, ek->sent_sha256));
    *out_ek = STEAL(ek);
    return OK;
}

static ERRFN parse(struct view sent, enum ek_source source, struct ek **out_ek)
{
    AUTO(ek) ek = NULL;
    TRY(begin(sent, source, &ek));
    if (source == EK_SOURCE_CERT) {
        TRY(ek_certificate_read(ek, sent));
    } else {
        TRY(ek_key_read(ek, sent));
        memcpy(ek->cert_sha384, ek->sent_sha384, sizeof ek->cert_sha384);
        memcpy(ek->cert_sha256, ek->sent_sha256, sizeof ek->cert_sha256);
    }
    *out_ek = STEAL(ek);
    return OK;
}

ERRFN ek_parse(struct view sent, enum ek_source source, struct ek **out_ek)
{
    ENSURE(source == EK_SOURCE_CERT || source == EK_SOURCE_PUB, EK_MISSING);
    ERR_set_mark();
    err_t parsed = parse(sent, source, out_ek);
    ERR_pop_to_mark();
    return parsed;
}

static ERRFN parse_for_display(struct view sent, struct ek **out_ek)
{
    AUTO(ek) ek = NULL;
    TRY(begin(sent, EK_SOURCE_CERT, &ek));
    TRY(ek_certificate_read_for_display(ek, sent));
    *out_ek = STEAL(ek);
    return OK;
}

ERRFN ek_parse_for_display(struct view sent, struct ek **out_ek)
{
    ERR_set_mark();
    err_t parsed = parse_for_display(sent, out_ek);
    ERR_pop_to_mark();
    return parsed;
}

bool ek_fingerprint_matches(const struct ek *ek, struct view hex_text)
{
    uint8_t sent[SHA384_BYTES];
    size_t len = hex_text.len / 2;
    if ((len != SHA384_BYTES && len != SHA256_BYTES) || !IS_OK(hex_decode(hex_text, sent, len))) {
        return false;
    }
    bool long_one = len == SHA384_BYTES;
    const uint8_t *candidates[] = {
        long_one ? ek->spki_sha384 : ek->spki_sha256,
        long_one ? ek->cert_sha384 : ek->cert_sha256,
        long_one ? ek->sent_sha384 : ek->sent_sha256,
    };
    bool matches = false;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        /* No early exit: which form matched is nobody's business. */
        matches |= view_equal_secret(view_of(sent, len), view_of(candidates[i], len));
    }
    return matches;
}

const char *ek_key_name(enum ek_key key)
{
    return tpm_key_name((enum tpm_key)key);
}

void ek_free(struct ek *ek)
{
    if (!ek) {
        return;
    }
    EVP_PKEY_free(ek->key);
    X509_free(ek->x509);
    buf_free(ek->area);
    buf_free(ek->spki);
    free(ek);
}
