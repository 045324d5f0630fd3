#include "area.h"
#include "cmocka_all.h"
#include "issue.h"
#include "real.h"

#include "base/text.h"
#include "tpm/quote.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

struct attest_spec {
    uint32_t magic;
    uint16_t type;
    uint8_t safe;
    const char *selection; /* TPML_PCR_SELECTION */
    size_t selection_len;
};

static const struct attest_spec good_attest = {0xff544347, 0x8018, 1, "\0\0\0\1\0\x0b\3\xff\0\0",
                                               10};

static struct buf *make_attest(const struct attest_spec *spec)
{
    struct buf *b = NULL;
    assert_ok(buf_new(512, &b));
    assert_ok(buf_put_u32(b, spec->magic));
    assert_ok(buf_put_u16(b, spec->type));
    assert_ok(buf_put_u16(b, 4));
    assert_ok(buf_put_text(b, "name"));
    assert_ok(buf_put_u16(b, 5));
    assert_ok(buf_put_text(b, "nonce"));
    assert_ok(buf_put_u64(b, 0x0102030405060708));
    assert_ok(buf_put_u32(b, 9));
    assert_ok(buf_put_u32(b, 10));
    assert_ok(buf_put_u8(b, spec->safe));
    assert_ok(buf_put_u64(b, 0x1112131415161718));
    assert_ok(buf_put(b, view_of(spec->selection, spec->selection_len)));
    assert_ok(buf_put_u16(b, 6));
    assert_ok(buf_put_text(b, "digest"));
    return b;
}

static void fields_are_read(void **state)
{
    (void)state;
    AUTO(buf) sent = make_attest(&good_attest);
    struct quote q;
    assert_ok(quote_parse(buf_view(sent), &q));
    assert_true(view_equal(q.attest, buf_view(sent)));
    assert_true(view_is(q.qualified_signer, "name"));
    assert_true(view_is(q.extra_data, "nonce"));
    assert_true(view_is(q.pcr_digest, "digest"));
    assert_true(q.clock == 0x0102030405060708);
    assert_int_equal(q.reset_count, 9);
    assert_int_equal(q.restart_count, 10);
    assert_true(q.clock_safe);
    assert_true(q.firmware_version == 0x1112131415161718);
    assert_int_equal(q.selection.count, 1);
    assert_int_equal(q.selection.banks[0].mask, 0xff);
}

static void tpm2b_attest_is_the_same_quote(void **state)
{
    (void)state;
    AUTO(buf) bare = make_attest(&good_attest);
    AUTO(buf) sized = NULL;
    assert_ok(buf_new(512, &sized));
    assert_ok(buf_put_u16(sized, (uint16_t)bare->len));
    assert_ok(buf_put(sized, buf_view(bare)));
    struct quote q;
    assert_ok(quote_parse(buf_view(sized), &q));
    assert_true(view_equal(q.attest, buf_view(bare)));
    sized->data[1]++;
    assert_err(quote_parse(buf_view(sized), &q), QUOTE_MAGIC);
}

static void other_structures_are_refused(void **state)
{
    (void)state;
    struct quote q;
    struct attest_spec spec = good_attest;
    spec.magic = 0xff544348;
    AUTO(buf) magic = make_attest(&spec);
    assert_err(quote_parse(buf_view(magic), &q), QUOTE_MAGIC);

    /* TPM_ST_ATTEST_CERTIFY, _CREATION, _TIME and their neighbours. */
    const uint16_t types[] = {0, 0x8014, 0x8015, 0x8016, 0x8017, 0x8019, 0x801a, 0x801c, 0xffff};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        spec = good_attest;
        spec.type = types[i];
        AUTO(buf) other = make_attest(&spec);
        assert_err(quote_parse(buf_view(other), &q), QUOTE_TYPE);
    }
    spec = good_attest;
    spec.safe = 2;
    AUTO(buf) safe = make_attest(&spec);
    assert_err(quote_parse(buf_view(safe), &q), QUOTE_UNREADABLE);
}

static void quote_over_no_pcr_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        size_t len;
    } empty[] = {{"\0\0\0\0", 4}, {"\0\0\0\1\0\x0b\3\0\0\0", 10}, {"\0\0\0\1\0\x0b\0", 7}};
    for (size_t i = 0; i < 3; i++) {
        struct attest_spec spec = good_attest;
        spec.selection = empty[i].bytes;
        spec.selection_len = empty[i].len;
        AUTO(buf) sent = make_attest(&spec);
        struct quote q;
        assert_err(quote_parse(buf_view(sent), &q), QUOTE_SELECTION);
    }
}

/* A TPM2B of the good quote, found by its content, is replaced by one of `len` bytes. */
static err_t parse_with_length(const char *content, size_t len)
{
    AUTO(buf) good = make_attest(&good_attest);
    const uint8_t *at = memmem(good->data, good->len, content, strlen(content));
    assert_non_null(at);
    size_t before = (size_t)(at - good->data) - 2;
    size_t behind = before + 2 + strlen(content);
    static const uint8_t filling[128] = {0};
    AUTO(buf) changed = NULL;
    assert_ok(buf_new(512, &changed));
    assert_ok(buf_put(changed, view_of(good->data, before)));
    assert_ok(buf_put_u16(changed, (uint16_t)len));
    assert_ok(buf_put(changed, view_of(filling, len)));
    assert_ok(buf_put(changed, view_of(good->data + behind, good->len - behind)));
    struct quote q;
    return quote_parse(buf_view(changed), &q);
}

static void fields_longer_than_any_tpm_makes_are_refused(void **state)
{
    (void)state;
    assert_ok(parse_with_length("name", 66));
    assert_err(parse_with_length("name", 67), QUOTE_UNREADABLE);
    assert_ok(parse_with_length("nonce", 66));
    assert_err(parse_with_length("nonce", 67), QUOTE_UNREADABLE);
    assert_ok(parse_with_length("digest", 64));
    assert_err(parse_with_length("digest", 65), QUOTE_UNREADABLE);
}

static void truncated_and_extended_quotes_are_refused(void **state)
{
    (void)state;
    AUTO(buf) sent = make_attest(&good_attest);
    struct quote q;
    for (size_t len = 0; len < sent->len; len++) {
        AUTO(buf) cut = NULL;
        assert_ok(buf_copy(view_of(sent->data, len), &cut));
        assert_err(quote_parse(buf_view(cut), &q), QUOTE_UNREADABLE);
    }
    assert_ok(buf_put_u8(sent, 0));
    assert_err(quote_parse(buf_view(sent), &q), QUOTE_UNREADABLE);
    static uint8_t large[QUOTE_MAX_BYTES + 1] = {0xff, 'T', 'C', 'G', 0x80, 0x18};
    assert_err(quote_parse(view_of(large, sizeof large), &q), QUOTE_UNREADABLE);
}

static EVP_PKEY *key_of_pem(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(key);
    return key;
}

/* One real quote in all its parts. */
struct real_quote {
    struct buf *attest;
    struct buf *signature;
    EVP_PKEY *key;
    uint16_t scheme;
    json_t *expected;
};

static void real_quote_free(struct real_quote *r)
{
    buf_free(r->attest);
    buf_free(r->signature);
    EVP_PKEY_free(r->key);
    json_decref(r->expected);
}

static struct real_quote real_of(const char *list_path, size_t index)
{
    json_t *list = real_json(list_path);
    struct real_quote r = {.expected = json_incref(json_array_get(list, index))};
    json_decref(list);
    assert_non_null(r.expected);
    r.key = key_of_pem(real_text(r.expected, "ak_pem"));
    const char *algorithm = real_text(r.expected, "signature_algorithm");
    r.scheme = strcmp(algorithm, "ECDSA") == 0 ? TPM_ALG_ECDSA : TPM_ALG_RSASSA;
    assert_string_equal(real_text(r.expected, "signature_hash"), "sha256");
    return r;
}

static struct buf *slice(const struct buf *from, size_t at, size_t len)
{
    struct buf *copy = NULL;
    assert_true(at + len <= from->len);
    assert_ok(buf_copy(view_of(from->data + at, len), &copy));
    return copy;
}

static struct real_quote keylime(void)
{
    struct real_quote r = real_of("keylime/expected_quotes.json", 0);
    r.attest = real_file("keylime/quotes/quote.out");
    r.signature = real_file("keylime/quotes/quotesig.out");
    return r;
}

static struct real_quote azure_raw(void)
{
    struct real_quote r = real_of("azure-cvm-tooling/expected_quotes.json", 1);
    r.attest = real_file("azure-cvm-tooling/history-2023-11/quote_msg");
    r.signature = real_file("azure-cvm-tooling/history-2023-11/quote_sig");
    return r;
}

/* Little-endian 64-bit length, signature, length, message. */
static struct real_quote azure_bincode(void)
{
    struct real_quote r = real_of("azure-cvm-tooling/expected_quotes.json", 0);
    AUTO(buf) all = real_file("azure-cvm-tooling/history-2024-01-15/quote.bin");
    size_t sig_len = (size_t)(all->data[0] | all->data[1] << 8);
    r.signature = slice(all, 8, sig_len);
    const uint8_t *at = all->data + 8 + sig_len;
    r.attest = slice(all, 16 + sig_len, (size_t)(at[0] | at[1] << 8));
    return r;
}

/* Node id (16), size (2), TPMS_ATTEST, TPMT_SIGNATURE. */
static struct real_quote veraison(void)
{
    struct real_quote r = real_of("veraison/expected_quotes.json", 0);
    AUTO(buf) all = real_file("veraison/enacttrust/basic.token");
    size_t len = (size_t)(all->data[16] << 8 | all->data[17]);
    r.attest = slice(all, 18, len);
    r.signature = slice(all, 18 + len, all->len - 18 - len);
    return r;
}

/* The PCR values that came with a quote hash to the quoted digest, and any other value does not. */
static void check_pcrs(const struct buf *attest, struct pcr_values *values)
{
    struct quote q;
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    size_t len;
    assert_ok(quote_parse(buf_view(attest), &q));
    assert_ok(pcr_values_digest(values, &q.selection, TPM_ALG_SHA256, digest, &len));
    assert_true(view_equal(view_of(digest, len), q.pcr_digest));
    for (size_t i = 0; i < values->count; i++) {
        values->value[i].digest[i % 20] ^= 1;
        assert_ok(pcr_values_digest(values, &q.selection, TPM_ALG_SHA256, digest, &len));
        assert_false(view_equal(view_of(digest, len), q.pcr_digest));
        values->value[i].digest[i % 20] ^= 1;
    }
}

static json_t *find_member(json_t *value, const char *key)
{
    json_t *found = json_object_get(value, key);
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member)
    {
        found = found ? found : json_object_get(member, key);
    }
    return found;
}

/* Hexadecimal text or an array of numbers. */
static struct buf *json_bytes(json_t *value)
{
    assert_non_null(value);
    if (json_is_string(value)) {
        return hex_bytes(json_string_value(value));
    }
    struct buf *b = NULL;
    assert_ok(buf_new(4096, &b));
    for (size_t i = 0; i < json_array_size(value); i++) {
        assert_ok(buf_put_u8(b, (uint8_t)json_integer_value(json_array_get(value, i))));
    }
    return b;
}

static struct real_quote trustee(size_t index)
{
    struct real_quote r = real_of("trustee/expected_quotes.json", index);
    char path[256];
    snprintf(path, sizeof path, "trustee/%s", real_text(r.expected, "file"));
    json_t *evidence = real_json(path);
    json_t *holder = find_member(evidence, "tpm_quote");
    holder = holder ? holder : find_member(evidence, "quote");
    r.attest = json_bytes(find_member(holder, "message"));
    r.signature = json_bytes(find_member(holder, "signature"));
    json_decref(evidence);
    return r;
}

static struct buf *json_base64(json_t *value)
{
    struct buf *b = NULL;
    assert_ok(buf_new(8192, &b));
    assert_non_null(json_string_value(value));
    assert_ok(base64_decode(view_text(json_string_value(value)), b));
    return b;
}

static struct real_quote guard(size_t index)
{
    struct real_quote r = real_of("guard-oss/expected_quotes.json", index);
    char path[256];
    snprintf(path, sizeof path, "guard-oss/%s", real_text(r.expected, "file"));
    json_t *evidence = real_json(path);
    r.attest = json_base64(find_member(evidence, "quote"));
    r.signature = json_base64(find_member(evidence, "signature"));
    json_decref(evidence);
    return r;
}

static void trustee_pcr_values_hash_to_the_quoted_digest(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct real_quote r = trustee(i);
        char path[256];
        snprintf(path, sizeof path, "trustee/%s", real_text(r.expected, "file"));
        json_t *evidence = real_json(path);
        json_t *list = find_member(evidence, "pcrs");
        struct pcr_values values = {0};
        assert_int_equal(json_array_size(list), 24);
        for (uint32_t index = 0; index < 24; index++) {
            AUTO(buf) digest = json_bytes(json_array_get(list, index));
            assert_ok(pcr_values_add(&values, TPM_ALG_SHA256, index, buf_view(digest)));
        }
        check_pcrs(r.attest, &values);
        json_decref(evidence);
        real_quote_free(&r);
    }
}

/* Hardware TPMs; the first two quote a SHA-1 and a SHA-256 bank together. */
static void guard_pcr_values_hash_to_the_quoted_digest(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct real_quote r = guard(i);
        char path[256];
        snprintf(path, sizeof path, "guard-oss/%s", real_text(r.expected, "file"));
        json_t *evidence = real_json(path);
        struct quote q;
        assert_ok(quote_parse(buf_view(r.attest), &q));
        struct pcr_values values = {0};
        for (size_t b = 0; b < q.selection.count; b++) {
            char bank[8];
            snprintf(bank, sizeof bank, "%u", q.selection.banks[b].bank);
            json_t *pcrs = json_object_get(json_object_get(evidence, "allpcrs"), bank);
            for (uint32_t index = 0; index < 24; index++) {
                char key[8];
                snprintf(key, sizeof key, "%u", index);
                AUTO(buf) digest = json_base64(json_object_get(pcrs, key));
                assert_ok(
                    pcr_values_add(&values, q.selection.banks[b].bank, index, buf_view(digest)));
            }
        }
        check_pcrs(r.attest, &values);
        json_decref(evidence);
        real_quote_free(&r);
    }
}

static void check_selection(const struct quote *q, const json_t *expected)
{
    struct pcr_selection want = {0};
    size_t i;
    json_t *bank;
    json_array_foreach(json_object_get(expected, "pcrSelect"), i, bank)
    {
        const char *name = json_string_value(json_array_get(bank, 0));
        want.banks[i].bank = pcr_bank_from_name(view_text(name));
        size_t j;
        json_t *index;
        json_array_foreach(json_array_get(bank, 1), j, index)
        {
            want.banks[i].mask |= 1U << json_integer_value(index);
        }
        want.count++;
    }
    assert_int_equal(q->selection.count, want.count);
    for (i = 0; i < want.count; i++) {
        assert_int_equal(q->selection.banks[i].bank, want.banks[i].bank);
        assert_int_equal(q->selection.banks[i].mask, want.banks[i].mask);
    }
}

static void check_real(struct real_quote r)
{
    struct quote q;
    assert_ok(quote_parse(buf_view(r.attest), &q));
    json_t *want = json_object_get(r.expected, "attest");
    AUTO(buf) signer = real_hex(want, "qualifiedSigner");
    AUTO(buf) extra = real_hex(want, "extraData");
    AUTO(buf) digest = real_hex(want, "pcrDigest");
    AUTO(buf) firmware = real_hex(want, "firmwareVersion");
    assert_true(view_equal(q.qualified_signer, buf_view(signer)));
    assert_true(view_equal(q.extra_data, buf_view(extra)));
    assert_true(view_equal(q.pcr_digest, buf_view(digest)));
    assert_true(q.clock == (uint64_t)json_integer_value(json_object_get(want, "clock")));
    assert_int_equal(q.reset_count, json_integer_value(json_object_get(want, "resetCount")));
    assert_int_equal(q.restart_count, json_integer_value(json_object_get(want, "restartCount")));
    assert_int_equal(q.clock_safe, json_integer_value(json_object_get(want, "safe")));
    struct view version = buf_view(firmware);
    uint64_t number = 0;
    assert_ok(view_get_u64(&version, &number, E(BUG)));
    assert_true(q.firmware_version == number);
    check_selection(&q, want);
    assert_ok(quote_check_signature_key(r.key, r.scheme, TPM_ALG_SHA256, q.attest,
                                        buf_view(r.signature)));
    real_quote_free(&r);
}

static void real_quotes_verify(void **state)
{
    (void)state;
    check_real(keylime());
    check_real(azure_raw());
    check_real(azure_bincode());
    check_real(veraison());
    check_real(trustee(0));
    check_real(trustee(1));
    for (size_t i = 0; i < 5; i++) {
        check_real(guard(i));
    }
}

static void real_quote_verifies_with_its_ak(void **state)
{
    (void)state;
    struct real_quote r = keylime();
    AUTO(buf) area = real_file("keylime/quotes/ak.pub");
    AUTO(ak) ak = NULL;
    assert_ok(ak_parse(buf_view(area), &ak));
    assert_ok(quote_check_signature(ak, buf_view(r.attest), buf_view(r.signature)));
    real_quote_free(&r);
}

static void tpm12_quote_is_refused(void **state)
{
    (void)state;
    AUTO(buf)
    sent = hex_bytes("0101000051554f5400000000000000000000000000000000000000000000000000");
    struct quote q;
    assert_err(quote_parse(buf_view(sent), &q), QUOTE_MAGIC);
}

static void refuse_every_flip(EVP_PKEY *key, uint16_t scheme, struct buf *flipped,
                              const struct buf *attest, const struct buf *signature)
{
    for (size_t bit = 0; bit < flipped->len * 8; bit++) {
        flipped->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        err_t got = quote_check_signature_key(key, scheme, TPM_ALG_SHA256, buf_view(attest),
                                              buf_view(signature));
        if (IS_OK(got)) {
            fail_msg("verifies with bit %zu flipped", bit);
        }
        flipped->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void every_flipped_bit_of_real_quotes_is_refused(void **state)
{
    (void)state;
    struct real_quote all[] = {keylime(), azure_raw(), veraison(), guard(0)};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct real_quote *r = &all[i];
        refuse_every_flip(r->key, r->scheme, r->attest, r->attest, r->signature);
        refuse_every_flip(r->key, r->scheme, r->signature, r->attest, r->signature);
        real_quote_free(r);
    }
}

static void every_truncation_of_real_signatures_is_refused(void **state)
{
    (void)state;
    struct real_quote all[] = {keylime(), azure_raw(), veraison()};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct real_quote *r = &all[i];
        for (size_t len = 0; len < r->signature->len; len++) {
            AUTO(buf) cut = slice(r->signature, 0, len);
            err_t got = quote_check_signature_key(r->key, r->scheme, TPM_ALG_SHA256,
                                                  buf_view(r->attest), buf_view(cut));
            if (len == (r->scheme == TPM_ALG_RSASSA ? 256 : 64)) {
                assert_err(got, QUOTE_SIGNATURE); /* taken for a raw signature */
            } else {
                assert_err(got, QUOTE_SIGNATURE_UNREADABLE);
            }
        }
        AUTO(buf) longer = NULL;
        assert_ok(buf_new(1024, &longer));
        assert_ok(buf_put(longer, buf_view(r->signature)));
        assert_ok(buf_put_u8(longer, 0));
        assert_err(quote_check_signature_key(r->key, r->scheme, TPM_ALG_SHA256, buf_view(r->attest),
                                             buf_view(longer)),
                   QUOTE_SIGNATURE_UNREADABLE);
        real_quote_free(r);
    }
}

/* Signs like a TPM does. salt is for RSAPSS. */
static struct buf *sign(EVP_PKEY *key, const EVP_MD *md, bool pss, int salt, struct view data)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    assert_int_equal(EVP_DigestSignInit(ctx, &key_ctx, md, NULL, key), 1);
    if (pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, salt), 1);
    }
    uint8_t bytes[1024];
    size_t len = sizeof bytes;
    assert_int_equal(EVP_DigestSign(ctx, bytes, &len, data.data, data.len), 1);
    EVP_MD_CTX_free(ctx);
    struct buf *b = NULL;
    assert_ok(buf_copy(view_of(bytes, len), &b));
    return b;
}

static struct buf *tpmt_rsa(uint16_t scheme, uint16_t hash, const struct buf *raw)
{
    struct buf *b = NULL;
    assert_ok(buf_new(1024, &b));
    assert_ok(buf_put_u16(b, scheme));
    assert_ok(buf_put_u16(b, hash));
    assert_ok(buf_put_u16(b, (uint16_t)raw->len));
    assert_ok(buf_put(b, buf_view(raw)));
    return b;
}

static void put_padded(struct buf *b, const BIGNUM *number, size_t width)
{
    uint8_t bytes[66];
    assert_int_equal(BN_bn2binpad(number, bytes, (int)width), (int)width);
    assert_ok(buf_put_u16(b, (uint16_t)width));
    assert_ok(buf_put(b, view_of(bytes, width)));
}

static struct buf *tpmt_ecdsa(uint16_t hash, const struct buf *der, size_t width)
{
    const uint8_t *at = der->data;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der->len);
    assert_non_null(sig);
    struct buf *b = NULL;
    assert_ok(buf_new(1024, &b));
    assert_ok(buf_put_u16(b, TPM_ALG_ECDSA));
    assert_ok(buf_put_u16(b, hash));
    put_padded(b, ECDSA_SIG_get0_r(sig), width);
    put_padded(b, ECDSA_SIG_get0_s(sig), width);
    ECDSA_SIG_free(sig);
    return b;
}

static const struct {
    uint16_t alg;
    const EVP_MD *(*md)(void);
} hashes[] = {
    {TPM_ALG_SHA256, EVP_sha256}, {TPM_ALG_SHA384, EVP_sha384}, {TPM_ALG_SHA512, EVP_sha512}};

static void every_accepted_signature_form_verifies(void **state)
{
    (void)state;
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *rsa = issue_rsa(2048);
    for (size_t h = 0; h < 3; h++) {
        uint16_t alg = hashes[h].alg;
        const EVP_MD *md = hashes[h].md();
        AUTO(buf) pkcs1 = sign(rsa, md, false, 0, buf_view(attest));
        AUTO(buf) salted = sign(rsa, md, true, RSA_PSS_SALTLEN_DIGEST, buf_view(attest));
        AUTO(buf) longest = sign(rsa, md, true, RSA_PSS_SALTLEN_MAX, buf_view(attest));
        AUTO(buf) tpmt_pkcs1 = tpmt_rsa(TPM_ALG_RSASSA, alg, pkcs1);
        AUTO(buf) tpmt_pss = tpmt_rsa(TPM_ALG_RSAPSS, alg, longest);
        struct view a = buf_view(attest);
        assert_ok(quote_check_signature_key(rsa, TPM_ALG_RSASSA, alg, a, buf_view(pkcs1)));
        assert_ok(quote_check_signature_key(rsa, TPM_ALG_RSASSA, alg, a, buf_view(tpmt_pkcs1)));
        assert_ok(quote_check_signature_key(rsa, TPM_ALG_RSAPSS, alg, a, buf_view(salted)));
        assert_ok(quote_check_signature_key(rsa, TPM_ALG_RSAPSS, alg, a, buf_view(longest)));
        assert_ok(quote_check_signature_key(rsa, TPM_ALG_RSAPSS, alg, a, buf_view(tpmt_pss)));
        /* The AK's scheme decides. */
        assert_err(quote_check_signature_key(rsa, TPM_ALG_RSAPSS, alg, a, buf_view(pkcs1)),
                   QUOTE_SIGNATURE);
        assert_err(quote_check_signature_key(rsa, TPM_ALG_RSASSA, alg, a, buf_view(salted)),
                   QUOTE_SIGNATURE);
        assert_err(quote_check_signature_key(rsa, TPM_ALG_RSAPSS, alg, a, buf_view(tpmt_pkcs1)),
                   QUOTE_SIGNATURE);
        assert_err(quote_check_signature_key(rsa, TPM_ALG_ECDSA, alg, a, buf_view(pkcs1)),
                   QUOTE_SIGNATURE);
    }
    EVP_PKEY_free(rsa);
    const char *groups[] = {"P-256", "P-384", "P-521"};
    const size_t widths[] = {32, 48, 66};
    for (size_t g = 0; g < 3; g++) {
        EVP_PKEY *key = issue_ec(groups[g]);
        for (size_t h = 0; h < 3; h++) {
            uint16_t alg = hashes[h].alg;
            AUTO(buf) der = sign(key, hashes[h].md(), false, 0, buf_view(attest));
            AUTO(buf) tpmt = tpmt_ecdsa(alg, der, widths[g]);
            struct view a = buf_view(attest);
            assert_ok(quote_check_signature_key(key, TPM_ALG_ECDSA, alg, a, buf_view(der)));
            assert_ok(quote_check_signature_key(key, TPM_ALG_ECDSA, alg, a, buf_view(tpmt)));
            uint16_t other = hashes[(h + 1) % 3].alg;
            assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, other, a, buf_view(der)),
                       QUOTE_SIGNATURE);
            assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, other, a, buf_view(tpmt)),
                       QUOTE_SIGNATURE);
        }
        EVP_PKEY_free(key);
    }
}

static void sha1_is_refused_by_name(void **state)
{
    (void)state;
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *key = issue_ec("P-256");
    AUTO(buf) der = sign(key, EVP_sha1(), false, 0, buf_view(attest));
    AUTO(buf) tpmt = tpmt_ecdsa(TPM_ALG_SHA1, der, 32);
    struct view a = buf_view(attest);
    assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA256, a, buf_view(tpmt)),
               QUOTE_HASH);
    assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA1, a, buf_view(tpmt)),
               QUOTE_HASH);
    assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA1, a, buf_view(der)),
               QUOTE_HASH);
    assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA256, a, buf_view(der)),
               QUOTE_SIGNATURE);
    EVP_PKEY_free(key);
}

/* The signature is good, but says another hash or scheme of itself than the AK has. */
static void signature_that_names_another_hash_is_refused(void **state)
{
    (void)state;
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *key = issue_ec("P-256");
    AUTO(buf) der = sign(key, EVP_sha256(), false, 0, buf_view(attest));
    AUTO(buf) lying = tpmt_ecdsa(TPM_ALG_SHA384, der, 32);
    assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA256, buf_view(attest),
                                         buf_view(lying)),
               QUOTE_SIGNATURE);
    EVP_PKEY_free(key);
    EVP_PKEY *rsa = issue_rsa(2048);
    AUTO(buf) raw = sign(rsa, EVP_sha256(), false, 0, buf_view(attest));
    AUTO(buf) pss = tpmt_rsa(TPM_ALG_RSAPSS, TPM_ALG_SHA256, raw);
    assert_err(quote_check_signature_key(rsa, TPM_ALG_RSASSA, TPM_ALG_SHA256, buf_view(attest),
                                         buf_view(pss)),
               QUOTE_SIGNATURE);
    EVP_PKEY_free(rsa);
}

static void signature_of_another_key_is_refused(void **state)
{
    (void)state;
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *key = issue_ec("P-256");
    EVP_PKEY *other = issue_ec("P-256");
    EVP_PKEY *rsa = issue_rsa(2048);
    AUTO(buf) der = sign(key, EVP_sha256(), false, 0, buf_view(attest));
    AUTO(buf) raw = sign(rsa, EVP_sha256(), false, 0, buf_view(attest));
    AUTO(buf) tpmt = tpmt_rsa(TPM_ALG_RSASSA, TPM_ALG_SHA256, raw);
    struct view a = buf_view(attest);
    const uint16_t sha = TPM_ALG_SHA256;
    assert_err(quote_check_signature_key(other, TPM_ALG_ECDSA, sha, a, buf_view(der)),
               QUOTE_SIGNATURE);
    assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, sha, a, buf_view(raw)),
               QUOTE_SIGNATURE);
    assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, sha, a, buf_view(tpmt)),
               QUOTE_SIGNATURE);
    assert_err(quote_check_signature_key(rsa, TPM_ALG_RSASSA, sha, a, buf_view(der)),
               QUOTE_SIGNATURE);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(rsa);
}

/* As in a TPM2B: some tools write the structure's size before it. */
static void signature_behind_its_length_verifies(void **state)
{
    (void)state;
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *rsa = issue_rsa(2048);
    AUTO(buf) raw = sign(rsa, EVP_sha256(), false, 0, buf_view(attest));
    AUTO(buf) tpmt = tpmt_rsa(TPM_ALG_RSASSA, TPM_ALG_SHA256, raw);
    const struct buf *forms[] = {raw, tpmt};
    for (size_t i = 0; i < 2; i++) {
        for (int too_long = 0; too_long < 2; too_long++) {
            AUTO(buf) sized = NULL;
            assert_ok(buf_new(1024, &sized));
            assert_ok(buf_put_u16(sized, (uint16_t)(forms[i]->len + (size_t)too_long)));
            assert_ok(buf_put(sized, buf_view(forms[i])));
            err_t checked = quote_check_signature_key(rsa, TPM_ALG_RSASSA, TPM_ALG_SHA256,
                                                      buf_view(attest), buf_view(sized));
            if (too_long) {
                assert_err(checked, QUOTE_SIGNATURE_UNREADABLE);
            } else {
                assert_ok(checked);
            }
        }
    }
    EVP_PKEY_free(rsa);
}

static void schemes_that_are_not_accepted_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "001a000b00010100010200",                                                   /* cut below */
        "001a000b000101000102",                                                     /* ECDAA */
        "001b0012000101000102",                                                     /* SM2 */
        "001c000b000101000102",                                                     /* Schnorr */
        "0005000b0102030405060708091011121314151617181920212223242526272829303132", /* HMAC */
        "00050012010203",                                                           /* with SM3 */
        "0010",                                                                     /* not signed */
    };
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *key = issue_ec("P-256");
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        AUTO(buf) sig = hex_bytes(forms[i]);
        err_t checked = quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA256,
                                                  buf_view(attest), buf_view(sig));
        if (i == 0) {
            assert_err(checked, QUOTE_SIGNATURE_UNREADABLE); /* a byte too many */
        } else {
            assert_err(checked, QUOTE_SCHEME);
        }
    }
    EVP_PKEY_free(key);
}

static void signature_of_a_few_bytes_is_unreadable(void **state)
{
    (void)state;
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *key = issue_ec("P-256");
    /* Copied, so that a sanitizer sees a byte read past the end. */
    for (size_t len = 1; len <= 3; len++) {
        AUTO(buf) few = NULL;
        assert_ok(buf_copy(view_of("\0\1\x30", len), &few));
        assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA256, buf_view(attest),
                                             buf_view(few)),
                   QUOTE_SIGNATURE_UNREADABLE);
    }
    EVP_PKEY_free(key);
}

static void degenerate_ecdsa_values_are_refused(void **state)
{
    (void)state;
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *key = issue_ec("P-256");
    const char *forms[] = {
        "0018000b00000000", /* r and s empty */
        "0018000b0001000001"
        "00", /* r = s = 0 */
        "0018000b0001010001"
        "01",               /* r = s = 1 */
        "3006020100020100", /* DER, both 0 */
        "3006020101020101", /* DER, both 1 */
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        AUTO(buf) sig = hex_bytes(forms[i]);
        assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA256, buf_view(attest),
                                             buf_view(sig)),
                   QUOTE_SIGNATURE);
    }
    EVP_PKEY_free(key);
}

static void loose_der_is_refused(void **state)
{
    (void)state;
    AUTO(buf) attest = make_attest(&good_attest);
    EVP_PKEY *key = issue_ec("P-256");
    AUTO(buf) der = sign(key, EVP_sha256(), false, 0, buf_view(attest));
    AUTO(buf) loose = NULL;
    assert_ok(buf_new(256, &loose));
    /* The length in the long form, which DER forbids here. */
    assert_ok(buf_put_u8(loose, 0x30));
    assert_ok(buf_put_u8(loose, 0x81));
    assert_ok(buf_put(loose, view_of(der->data + 1, der->len - 1)));
    assert_err(quote_check_signature_key(key, TPM_ALG_ECDSA, TPM_ALG_SHA256, buf_view(attest),
                                         buf_view(loose)),
               QUOTE_SIGNATURE_UNREADABLE);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(tpm2b_attest_is_the_same_quote),
        cmocka_unit_test(other_structures_are_refused),
        cmocka_unit_test(quote_over_no_pcr_is_refused),
        cmocka_unit_test(fields_longer_than_any_tpm_makes_are_refused),
        cmocka_unit_test(truncated_and_extended_quotes_are_refused),
        cmocka_unit_test(real_quotes_verify),
        cmocka_unit_test(real_quote_verifies_with_its_ak),
        cmocka_unit_test(trustee_pcr_values_hash_to_the_quoted_digest),
        cmocka_unit_test(guard_pcr_values_hash_to_the_quoted_digest),
        cmocka_unit_test(tpm12_quote_is_refused),
        cmocka_unit_test(every_flipped_bit_of_real_quotes_is_refused),
        cmocka_unit_test(every_truncation_of_real_signatures_is_refused),
        cmocka_unit_test(every_accepted_signature_form_verifies),
        cmocka_unit_test(sha1_is_refused_by_name),
        cmocka_unit_test(signature_that_names_another_hash_is_refused),
        cmocka_unit_test(signature_of_another_key_is_refused),
        cmocka_unit_test(signature_behind_its_length_verifies),
        cmocka_unit_test(schemes_that_are_not_accepted_are_refused_by_name),
        cmocka_unit_test(signature_of_a_few_bytes_is_unreadable),
        cmocka_unit_test(degenerate_ecdsa_values_are_refused),
        cmocka_unit_test(loose_der_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
