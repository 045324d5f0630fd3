#include "area.h"
#include "cmocka_all.h"
#include "issue.h"
#include "real.h"

#include "tpm/quote_verdict.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

/* The quote of a software TPM in all its parts, as a verifier is given them. */
struct evidence {
    struct buf *attest;
    struct buf *signature;
    struct buf *nonce;
    struct quote_key *key;
};

static struct quote_key *key_of(struct view sent)
{
    struct quote_key *key = NULL;
    assert_ok(quote_key_read(sent, &key));
    return key;
}

static int make_evidence(void **state)
{
    struct evidence *e = calloc(1, sizeof *e);
    AUTO(buf) area = real_file("keylime/quotes/ak.pub");
    e->attest = real_file("keylime/quotes/quote.out");
    e->signature = real_file("keylime/quotes/quotesig.out");
    e->nonce = hex_bytes("db1db298db6d60e6385b7231743e9c3056a18003");
    e->key = key_of(buf_view(area));
    *state = e;
    return 0;
}

static int end_evidence(void **state)
{
    struct evidence *e = *state;
    buf_free(e->attest);
    buf_free(e->signature);
    buf_free(e->nonce);
    quote_key_free(e->key);
    free(e);
    return 0;
}

static err_t judge(const struct evidence *e, const struct pcr_values *values,
                   struct quote_verdict *out_verdict)
{
    struct view nonce = buf_view(e->nonce);
    struct quote_evidence evidence = {.quote = buf_view(e->attest),
                                      .signature = buf_view(e->signature),
                                      .key = e->key,
                                      .nonce = &nonce,
                                      .values = values};
    return quote_judge(&evidence, out_verdict);
}

static void genuine_quote_has_nothing_against_it(void **state)
{
    struct evidence *e = *state;
    struct quote_verdict verdict;
    assert_ok(judge(e, NULL, &verdict));
    assert_int_equal(verdict.count, 0);
    assert_int_equal(verdict.scheme, TPM_ALG_RSASSA);
    assert_int_equal(verdict.hash_alg, TPM_ALG_SHA256);
    AUTO(buf) name = real_file("keylime/quotes/ak.name");
    assert_true(view_equal(view_of(e->key->name, e->key->name_len), buf_view(name)));
}

/* Refused, or not even read. */
static void refuse_every_flip(const struct evidence *e, struct buf *flipped)
{
    for (size_t bit = 0; bit < flipped->len * 8; bit++) {
        struct quote_verdict verdict;
        flipped->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (IS_OK(judge(e, NULL, &verdict)) && verdict.count == 0) {
            fail_msg("valid with bit %zu flipped", bit);
        }
        flipped->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void no_bit_of_quote_signature_or_nonce_can_be_flipped(void **state)
{
    struct evidence *e = *state;
    refuse_every_flip(e, e->attest);
    refuse_every_flip(e, e->signature);
    refuse_every_flip(e, e->nonce);
    /* The same with a key that leaves scheme and hash to the signature. */
    AUTO(buf) pem = real_file("keylime/quotes/akpub.pem");
    AUTO(quote_key) bare = key_of(buf_view(pem));
    struct evidence loose = {e->attest, e->signature, e->nonce, bare};
    refuse_every_flip(&loose, e->attest);
    refuse_every_flip(&loose, e->signature);
}

static void cut_quotes_and_signatures_are_unreadable_and_say_where(void **state)
{
    struct evidence *e = *state;
    struct quote_verdict verdict;
    struct evidence cut = *e;
    for (size_t len = 0; len < e->attest->len; len++) {
        AUTO(buf) shorter = NULL;
        assert_ok(buf_copy(view_of(e->attest->data, len), &shorter));
        cut.attest = shorter;
        assert_err(judge(&cut, NULL, &verdict), QUOTE_UNREADABLE);
        assert_int_equal(verdict.part, QUOTE_PART_QUOTE);
        assert_true(verdict.offset <= len);
    }
    cut = *e;
    AUTO(buf) shorter = NULL;
    assert_ok(buf_copy(view_of(e->signature->data, 100), &shorter));
    cut.signature = shorter;
    assert_err(judge(&cut, NULL, &verdict), QUOTE_SIGNATURE_UNREADABLE);
    assert_int_equal(verdict.part, QUOTE_PART_SIGNATURE);
    assert_int_equal(verdict.offset, 4);
}

static void reasons_come_together(void **state)
{
    struct evidence *e = *state;
    AUTO(buf) area = real_file("keylime/quotes/ek.pub");
    AUTO(quote_key) other = key_of(buf_view(area));
    AUTO(buf) nonce = hex_bytes("00");
    struct evidence bad = {e->attest, e->signature, nonce, other};
    struct pcr_values values = {0};
    static const uint8_t zeros[32] = {0};
    const uint32_t quoted[] = {15, 16, 22};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(pcr_values_add(&values, TPM_ALG_SHA256, quoted[i], view_of(zeros, 32)));
    }
    const err_t expected[] = {E(AK_ATTRIBUTES), E(QUOTE_SIGNATURE), E(QUOTE_NONCE),
                              E(QUOTE_DIGEST)};
    values.value[0].digest[0] = 1;
    struct quote_verdict verdict;
    assert_ok(judge(&bad, &values, &verdict));
    assert_int_equal(verdict.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(err_reason(verdict.reasons[i]), err_reason(expected[i]));
    }
}

static void values_that_are_not_quoted_are_passed_over_and_missing_ones_are_said(void **state)
{
    struct evidence *e = *state;
    struct pcr_values values = {0};
    static const uint8_t digest[48] = {0};
    struct quote_verdict verdict;
    assert_ok(pcr_values_add(&values, TPM_ALG_SHA384, 15, view_of(digest, 48)));
    assert_ok(pcr_values_add(&values, TPM_ALG_SHA256, 15, view_of(digest, 32)));
    assert_ok(judge(e, &values, &verdict));
    assert_int_equal(verdict.count, 1);
    assert_err(verdict.reasons[0], PCR_VALUES_INVALID);
}

/* -- keys -------------------------------------------------------------------------------------- */

static void every_form_of_a_key_is_the_same_key(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    struct area_spec spec = area_ak(key, TPM_ALG_ECDSA, TPM_ALG_SHA256);
    struct issue_spec ca = issue_root("AK", key);
    X509 *cert = issue_certificate(&ca);
    AUTO(buf) tpm2b = area_tpm2b(&spec);
    AUTO(buf) tpmt = area_tpmt(&spec);
    AUTO(buf) spki = issue_spki(key);
    AUTO(buf) der = issue_der(cert);
    AUTO(buf) pem = issue_pem(cert);
    const struct buf *forms[] = {tpm2b, tpmt, spki, der, pem};
    for (size_t i = 0; i < 5; i++) {
        AUTO(quote_key) read = key_of(buf_view(forms[i]));
        assert_int_equal(EVP_PKEY_eq(read->key, key), 1);
        assert_int_equal(read->type, TPM_KEY_P256);
        assert_int_equal(read->scheme, i < 2 ? TPM_ALG_ECDSA : TPM_ALG_NONE);
        assert_int_equal(read->name_len, i < 2 ? 34 : 0);
        assert_ok(read->fault);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void area_that_is_not_an_aks_is_a_fault_and_not_an_error(void **state)
{
    (void)state;
    EVP_PKEY *key = issue_ec("P-256");
    struct area_spec spec = area_ak(key, TPM_ALG_ECDSA, TPM_ALG_SHA256);
    spec.attributes &= ~(uint32_t)0x00010000; /* not restricted: signs what it is told */
    AUTO(buf) free_key = area_tpm2b(&spec);
    AUTO(quote_key) first = key_of(buf_view(free_key));
    assert_err(first->fault, AK_ATTRIBUTES);
    spec = area_ak(key, TPM_ALG_ECDSA, TPM_ALG_SHA1);
    AUTO(buf) sha1_key = area_tpm2b(&spec);
    AUTO(quote_key) second = key_of(buf_view(sha1_key));
    assert_err(second->fault, AK_ALGORITHM);
    EVP_PKEY_free(key);
}

static void unreadable_and_unsupported_keys_are_told_apart(void **state)
{
    (void)state;
    EVP_PKEY *small = issue_rsa(1024);
    AUTO(buf) spki = issue_spki(small);
    AUTO(quote_key) key = NULL;
    assert_err(quote_key_read(buf_view(spki), &key), AK_ALGORITHM);
    assert_err(quote_key_read(VIEW_EMPTY, &key), AK_UNREADABLE);
    assert_err(quote_key_read(view_text("hello"), &key), AK_UNREADABLE);
    assert_err(quote_key_read(view_text("-----BEGIN PUBLIC KEY-----"), &key), AK_UNREADABLE);
    assert_err(quote_key_read(view_of(spki->data, spki->len - 1), &key), AK_UNREADABLE);
    assert_null(key);
    EVP_PKEY_free(small);
}

/* -- other attestations ------------------------------------------------------------------------ */

static void other_attestations_are_read_and_named(void **state)
{
    struct evidence *e = *state;
    struct quote quote;
    size_t offset;
    AUTO(buf) changed = NULL;
    assert_ok(buf_copy(buf_view(e->attest), &changed));
    changed->data[5] = 0x17; /* TPM_ST_ATTEST_CERTIFY */
    assert_ok(quote_read(buf_view(changed), &quote, &offset));
    assert_err(quote_header_fault(&quote), QUOTE_TYPE);
    assert_string_equal(quote_type_name(quote.type), "key certification");
    assert_true(quote.firmware_version == 0x2016051100162800);
    assert_int_equal(quote.pcr_digest.len, 0);
    changed->data[0] = 0;
    assert_ok(quote_read(buf_view(changed), &quote, &offset));
    assert_err(quote_header_fault(&quote), QUOTE_MAGIC);
    assert_null(quote_type_name(0x8013));
    assert_null(quote_type_name(0x801b));
}

static void quote_of_a_tpm12_is_known(void **state)
{
    struct evidence *e = *state;
    AUTO(buf) info = hex_bytes("0101000051554f5400");
    AUTO(buf) info2 = hex_bytes("00365155543200");
    assert_true(quote_is_tpm12(buf_view(info)));
    assert_true(quote_is_tpm12(buf_view(info2)));
    assert_false(quote_is_tpm12(buf_view(e->attest)));
    assert_false(quote_is_tpm12(VIEW_EMPTY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_quote_has_nothing_against_it),
        cmocka_unit_test(no_bit_of_quote_signature_or_nonce_can_be_flipped),
        cmocka_unit_test(cut_quotes_and_signatures_are_unreadable_and_say_where),
        cmocka_unit_test(reasons_come_together),
        cmocka_unit_test(values_that_are_not_quoted_are_passed_over_and_missing_ones_are_said),
        cmocka_unit_test(every_form_of_a_key_is_the_same_key),
        cmocka_unit_test(area_that_is_not_an_aks_is_a_fault_and_not_an_error),
        cmocka_unit_test(unreadable_and_unsupported_keys_are_told_apart),
        cmocka_unit_test(other_attestations_are_read_and_named),
        cmocka_unit_test(quote_of_a_tpm12_is_known),
    };
    return cmocka_run_group_tests(tests, make_evidence, end_evidence);
}
