#include "tpm/signature_form.h"

#include "tpm/quote.h"

#include <openssl/ec.h>
#include <openssl/evp.h>

AUTO_DEFINE(ecdsa_sig, ECDSA_SIG, ECDSA_SIG_free);

static ERRFN get_sized(struct view *v, size_t max, struct view *out_bytes)
{
    struct view rest = *v;
    uint16_t len;
    TRY(view_get_u16(&rest, &len, E(QUOTE_SIGNATURE_UNREADABLE)));
    ENSURE(len <= max, QUOTE_SIGNATURE_UNREADABLE);
    TRY(view_get_bytes(&rest, len, out_bytes, E(QUOTE_SIGNATURE_UNREADABLE)));
    *v = rest;
    return OK;
}

/* TPMT_HA, which is as long as its hash. One we know no length of ends where the bytes end. */
static ERRFN get_hmac(struct view *v, const struct signature_form *form)
{
    struct view digest;
    size_t len = tpm_hash_size(form->hash_alg);
    return view_get_bytes(v, len ? len : v->len, &digest, E(QUOTE_SIGNATURE_UNREADABLE));
}

/* TPMU_SIGNATURE, Part 2 section 11.3.3. */
static ERRFN get_numbers(struct view *v, struct signature_form *form)
{
    switch (form->scheme) {
    case TPM_ALG_RSASSA:
    case TPM_ALG_RSAPSS:
        return get_sized(v, TPM_RSA_MAX_BYTES, &form->rsa);
    case TPM_ALG_ECDSA:
    case TPM_ALG_ECDAA:
    case TPM_ALG_SM2:
    case TPM_ALG_ECSCHNORR:
        TRY(get_sized(v, TPM_ECC_MAX_BYTES, &form->r));
        return get_sized(v, TPM_ECC_MAX_BYTES, &form->s);
    case TPM_ALG_HMAC:
        return get_hmac(v, form);
    }
    return E(QUOTE_SIGNATURE_UNREADABLE);
}

static ERRFN read_tpmt(struct view *v, struct signature_form *out_form)
{
    struct signature_form form = {0};
    TRY(view_get_u16(v, &form.scheme, E(QUOTE_SIGNATURE_UNREADABLE)));
    if (form.scheme != TPM_ALG_NULL) { /* nothing follows when the TPM did not sign */
        TRY(view_get_u16(v, &form.hash_alg, E(QUOTE_SIGNATURE_UNREADABLE)));
        TRY(get_numbers(v, &form));
    }
    ENSURE(v->len == 0, QUOTE_SIGNATURE_UNREADABLE);
    *out_form = form;
    return OK;
}

static bool is_der(struct view sent)
{
    const uint8_t *end = sent.data;
    AUTO(ecdsa_sig) parsed = d2i_ECDSA_SIG(NULL, &end, (long)sent.len);
    if (!parsed || end != sent.data + sent.len) {
        return false;
    }
    /* Only the one DER form, so that a signature can't be altered and still verify. */
    uint8_t *again = NULL;
    int len = i2d_ECDSA_SIG(parsed, &again);
    bool same = len > 0 && view_equal(view_of(again, (size_t)len), sent);
    OPENSSL_free(again);
    return same;
}

/* As long as raw RSA of another key, and not one that says its scheme and is cut short. */
static bool is_raw_of_another_key(struct view sent)
{
    bool fits = sent.len == 256 || sent.len == 384 || sent.len == 512;
    return fits && (sent.data[0] != 0 || sent.data[1] > TPM_ALG_ECSCHNORR);
}

static bool read_bare(struct view sent, const EVP_PKEY *key, struct signature_form *out_form)
{
    struct signature_form form = {0};
    size_t width = (size_t)(EVP_PKEY_get_bits(key) + 7) / 8;
    bool rsa = EVP_PKEY_is_a(key, "RSA");
    bool der = is_der(sent);
    if (rsa && sent.len == width) {
        form.rsa = sent;
    } else if (!rsa && der) {
        form.der = sent;
    } else if (!rsa && sent.len == 2 * width) {
        form.r = view_of(sent.data, width);
        form.s = view_of(sent.data + width, width);
    } else if (der || is_raw_of_another_key(sent)) {
        form.foreign = true;
    } else {
        return false;
    }
    *out_form = form;
    return true;
}

/* The exact length speaks for a bare signature, whatever its first bytes happen to be. */
ERRFN signature_form_read(struct view sent, const EVP_PKEY *key, struct signature_form *out_form,
                          size_t *out_offset)
{
    *out_offset = 0;
    ENSURE(sent.len > 0 && sent.len <= QUOTE_SIGNATURE_MAX_BYTES, QUOTE_SIGNATURE_UNREADABLE);
    struct view v = sent;
    if (IS_OK(read_tpmt(&v, out_form)) || read_bare(sent, key, out_form)) {
        return OK;
    }
    *out_offset = sent.len - v.len;
    struct view inner = sent;
    uint16_t len;
    TRY(view_get_u16(&inner, &len, E(QUOTE_SIGNATURE_UNREADABLE)));
    ENSURE(len == inner.len && len > 0, QUOTE_SIGNATURE_UNREADABLE);
    v = inner;
    if (IS_OK(read_tpmt(&v, out_form)) || read_bare(inner, key, out_form)) {
        *out_offset = 0;
        return OK;
    }
    *out_offset = sent.len - v.len;
    return E(QUOTE_SIGNATURE_UNREADABLE);
}
