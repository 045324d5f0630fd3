/* How fast evidence is checked, beside what OpenSSL alone takes for the signatures in it, in the
 * same run: EK certificates parsed and judged, quotes read and verified.
 *
 *   evidence_bench [--json FILE] [SECONDS]     a table, and the figures as JSON; SECONDS for each
 *                                              figure, 0.3 when not given
 */
#include "tests/tpm/area.h"
#include "tests/tpm/issue.h"

#include "base/clock.h"
#include "tpm/quote.h"
#include "tpm/trust.h"

#include <jansson.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, OTHER_CAS = 700 }; /* all vendors there are make about 700 CA certificates */

static const uint64_t now_ms = (uint64_t)Y2025 * 1000;
static double seconds = 0.3;
static json_t *figures;

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "evidence_bench: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

/* -- timing ------------------------------------------------------------------------------------ */

typedef void work(void *what);

static double processor_seconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Microseconds of processor time each, over a share of the time a figure has. */
static double once(work *run, void *what)
{
    double began = processor_seconds();
    double used = 0;
    size_t count = 0;
    while (used < seconds / ROUNDS) {
        for (int i = 0; i < 8; i++, count++) {
            run(what);
        }
        used = processor_seconds() - began;
    }
    return used / (double)count * 1e6;
}

/* The two in turns, and the best of each: what disturbs one disturbs the other. */
static void compare(const char *name, work *run, work *baseline, void *what)
{
    double ours = 1e9;
    double plain = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double first = once(run, what);
        double second = once(baseline, what);
        ours = first < ours ? first : ours;
        plain = second < plain ? second : plain;
    }
    printf("%-44s%10.1f us%10.0f /s%10.1f us%8.2f\n", name, ours, 1e6 / ours, plain, ours / plain);
    json_object_set_new(
        figures, name,
        json_pack("{s:f, s:f, s:f}", "us", ours, "per_second", 1e6 / ours, "openssl_us", plain));
}

/* -- EK certificates --------------------------------------------------------------------------- */

struct chain {
    struct trust *trust;
    struct buf *der;
    struct ek *ek;
    X509 *certs[3]; /* EK, intermediate, root */
};

static void parse_ek(void *what)
{
    struct chain *chain = what;
    AUTO(ek) ek = NULL;
    must(IS_OK(ek_parse(buf_view(chain->der), EK_SOURCE_CERT, &ek)), "an EK is not read");
}

static void parse_key(void *what)
{
    struct chain *chain = what;
    AUTO(ek) ek = NULL;
    must(IS_OK(ek_parse(buf_view(chain->ek->spki), EK_SOURCE_PUB, &ek)), "an EK is not read");
}

static void parse_pubkey(void *what)
{
    struct chain *chain = what;
    const uint8_t *at = chain->ek->spki->data;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)chain->ek->spki->len);
    must(key, "OpenSSL does not read a key");
    EVP_PKEY_free(key);
}

static void parse_x509(void *what)
{
    struct chain *chain = what;
    const uint8_t *at = chain->der->data;
    X509 *cert = d2i_X509(NULL, &at, (long)chain->der->len);
    must(cert, "OpenSSL does not read a certificate");
    X509_free(cert);
}

static void judge(void *what)
{
    struct chain *chain = what;
    struct trust_verdict verdict;
    must(IS_OK(trust_evaluate(chain->trust, chain->ek, NULL, 0, now_ms, &verdict)) &&
             verdict.chain == TRUST_CHAIN_TRUSTED,
         "an EK is not trusted");
}

static void verify_two(void *what)
{
    struct chain *chain = what;
    for (int i = 0; i < 2; i++) {
        must(X509_verify(chain->certs[i], X509_get0_pubkey(chain->certs[i + 1])) == 1,
             "a signature does not verify");
    }
}

static void add(struct trust *trust, X509 *cert, bool root)
{
    AUTO(buf) der = issue_der(cert);
    size_t count;
    must(IS_OK(root ? trust_add_root(trust, buf_view(der), &count)
                    : trust_add_intermediate(trust, buf_view(der), &count)),
         "a CA is not added");
}

/* So many others that have nothing to do with it. */
static void add_others(struct trust *trust, EVP_PKEY *key, int count)
{
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "Other CA %d", i);
        struct issue_spec spec = issue_root(name, key);
        X509 *cert = issue_certificate(&spec);
        add(trust, cert, i % 2);
        X509_free(cert);
    }
}

static void bench_chain(const char *name, EVP_PKEY *ek_key, EVP_PKEY *ca_key, int others)
{
    struct chain chain = {0};
    struct issue_spec specs[] = {issue_ek(ek_key, "Intermediate", ca_key),
                                 issue_intermediate("Intermediate", ca_key, "Root", ca_key),
                                 issue_root("Root", ca_key)};
    char title[128];
    must(IS_OK(trust_new(&chain.trust)), "no memory");
    add_others(chain.trust, ca_key, others);
    for (int i = 0; i < 3; i++) {
        chain.certs[i] = issue_certificate(&specs[i]);
    }
    add(chain.trust, chain.certs[1], false);
    add(chain.trust, chain.certs[2], true);
    chain.der = issue_der(chain.certs[0]);
    must(IS_OK(ek_parse(buf_view(chain.der), EK_SOURCE_CERT, &chain.ek)), "an EK is not read");
    if (others == 0) {
        snprintf(title, sizeof title, "EK certificate read, %s", name);
        compare(title, parse_ek, parse_x509, &chain);
        snprintf(title, sizeof title, "EK public key read, %s", name);
        compare(title, parse_key, parse_pubkey, &chain);
    }
    snprintf(title, sizeof title, "EK judged, %s, %d other CAs", name, others);
    compare(title, judge, verify_two, &chain);
    for (int i = 0; i < 3; i++) {
        X509_free(chain.certs[i]);
    }
    ek_free(chain.ek);
    buf_free(chain.der);
    trust_free(chain.trust);
}

/* -- quotes ------------------------------------------------------------------------------------ */

struct signed_quote {
    struct buf *attest;
    struct buf *tpmt; /* as a TPM sends it */
    struct buf *raw;  /* as OpenSSL made it */
    struct ak *ak;
    bool pss;
};

static void check_quote(void *what)
{
    struct signed_quote *q = what;
    struct quote quote;
    must(IS_OK(quote_parse(buf_view(q->attest), &quote)) &&
             IS_OK(quote_check_signature(q->ak, quote.attest, buf_view(q->tpmt))),
         "a quote is refused");
}

static EVP_PKEY_CTX *begin(EVP_MD_CTX *ctx, const struct signed_quote *q, EVP_PKEY *key, bool sign)
{
    EVP_PKEY_CTX *key_ctx = NULL;
    must((sign ? EVP_DigestSignInit(ctx, &key_ctx, EVP_sha256(), NULL, key)
               : EVP_DigestVerifyInit(ctx, &key_ctx, EVP_sha256(), NULL, key)) == 1,
         "OpenSSL does not begin");
    if (q->pss) {
        must(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST) == 1,
             "no RSAPSS");
    }
    return key_ctx;
}

static void verify_raw(void *what)
{
    struct signed_quote *q = what;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    begin(ctx, q, q->ak->key, false);
    must(EVP_DigestVerify(ctx, q->raw->data, q->raw->len, q->attest->data, q->attest->len) == 1,
         "a signature does not verify");
    EVP_MD_CTX_free(ctx);
}

static void put_sized(struct buf *b, struct view bytes)
{
    must(IS_OK(buf_put_u16(b, (uint16_t)bytes.len)) && IS_OK(buf_put(b, bytes)), "no room");
}

/* TPMS_ATTEST over PCR 0 to 7 of SHA-256. */
static struct buf *make_attest(void)
{
    static const uint8_t zeros[34] = {0};
    struct buf *b = NULL;
    must(IS_OK(buf_new(QUOTE_MAX_BYTES, &b)) && IS_OK(buf_put_u32(b, 0xFF544347)) &&
             IS_OK(buf_put_u16(b, TPM_ST_ATTEST_QUOTE)),
         "no room");
    put_sized(b, view_of(zeros, 34));
    put_sized(b, view_of(zeros, 32));
    must(IS_OK(buf_put(b, view_of(zeros, 17))) && IS_OK(buf_put_u64(b, 1)) &&
             IS_OK(buf_put(b, view_of("\0\0\0\1\0\x0b\3\xff\0\0", 10))),
         "no room");
    put_sized(b, view_of(zeros, 32));
    return b;
}

static struct buf *sign(const struct signed_quote *q, EVP_PKEY *key)
{
    uint8_t signature[TPM_RSA_MAX_BYTES];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    begin(ctx, q, key, true);
    must(EVP_DigestSign(ctx, signature, &len, q->attest->data, q->attest->len) == 1,
         "nothing is signed");
    EVP_MD_CTX_free(ctx);
    struct buf *copy = NULL;
    must(IS_OK(buf_copy(view_of(signature, len), &copy)), "no memory");
    return copy;
}

static void put_ecdsa(struct buf *b, const struct buf *der, size_t width)
{
    const uint8_t *at = der->data;
    uint8_t numbers[2][TPM_ECC_MAX_BYTES];
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der->len);
    must(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), numbers[0], (int)width) > 0 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(sig), numbers[1], (int)width) > 0,
         "no ECDSA signature");
    put_sized(b, view_of(numbers[0], width));
    put_sized(b, view_of(numbers[1], width));
    ECDSA_SIG_free(sig);
}

static void bench_quote(const char *name, EVP_PKEY *key, uint16_t scheme)
{
    struct signed_quote q = {.attest = make_attest(), .pss = scheme == TPM_ALG_RSAPSS};
    struct area_spec spec = area_ak(key, scheme, TPM_ALG_SHA256);
    AUTO(buf) area = area_tpm2b(&spec);
    must(IS_OK(ak_parse(buf_view(area), &q.ak)), "an AK is not read");
    q.raw = sign(&q, key);
    must(IS_OK(buf_new(QUOTE_SIGNATURE_MAX_BYTES, &q.tpmt)) && IS_OK(buf_put_u16(q.tpmt, scheme)) &&
             IS_OK(buf_put_u16(q.tpmt, TPM_ALG_SHA256)),
         "no room");
    if (scheme == TPM_ALG_ECDSA) {
        put_ecdsa(q.tpmt, q.raw, tpm_key_ecc_bytes((enum tpm_key)q.ak->key_type));
    } else {
        put_sized(q.tpmt, buf_view(q.raw));
    }
    char title[64];
    snprintf(title, sizeof title, "quote checked, %s", name);
    compare(title, check_quote, verify_raw, &q);
    buf_free(q.attest);
    buf_free(q.tpmt);
    buf_free(q.raw);
    ak_free(q.ak);
}

/* -- all --------------------------------------------------------------------------------------- */

static void run(void)
{
    EVP_PKEY *rsa = issue_rsa(2048);
    EVP_PKEY *p256 = issue_ec("P-256");
    EVP_PKEY *p384 = issue_ec("P-384");
    printf("%-44s%13s%13s%13s%8s\n", "", "each", "rate", "OpenSSL", "ratio");
    bench_chain("RSA-2048 below RSA-2048", rsa, rsa, 0);
    bench_chain("RSA-2048 below P-256", rsa, p256, 0);
    bench_chain("P-256 below P-256", p256, p256, 0);
    bench_chain("P-384 below P-384", p384, p384, 0);
    bench_chain("RSA-2048 below RSA-2048", rsa, rsa, OTHER_CAS);
    bench_quote("RSASSA-2048", rsa, TPM_ALG_RSASSA);
    bench_quote("RSAPSS-2048", rsa, TPM_ALG_RSAPSS);
    bench_quote("ECDSA P-256", p256, TPM_ALG_ECDSA);
    bench_quote("ECDSA P-384", p384, TPM_ALG_ECDSA);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p256);
    EVP_PKEY_free(p384);
}

int main(int argc, char **argv)
{
    const char *file = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            file = argv[++i];
        } else {
            seconds = strtod(argv[i], NULL);
        }
    }
    must(seconds > 0 && seconds <= 60, "usage: evidence_bench [--json FILE] [SECONDS]");
    figures = json_object();
    run();
    must(!file || json_dump_file(figures, file, JSON_INDENT(1)) == 0, "the file can't be written");
    json_decref(figures);
    return EXIT_SUCCESS;
}
