/* Chains of the input's own certificates. A mutated certificate never verifies, so that fuzzing
 * would end at the first signature: each is signed anew, by the one behind it in the input, the
 * last one by a root of ours or by itself. The last bytes of the input say how; in a file as it is
 * they are signature or line ends. Randomness is counted and starts anew for each input, so that an
 * input always does the same. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD: the only way to counted randomness */

#include "tpm/pem.h"
#include "tpm/trust.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CERTS_MAX = EK_CHAIN_MAX + 2, CONTROL_BYTES = 3 };

/* Bits of the first control byte. */
enum {
    KEEP_ISSUERS = 1,     /* names as they are, not those of the certificate behind */
    LAST_IS_ROOT = 2,     /* signed by itself and configured, not below our root */
    SENT_BY_NODE = 4,     /* the certificates between, not configured */
    KEEP_SIGNATURE = 8,   /* of the EK certificate */
    SIGNED_BY_OTHER = 16, /* the EK certificate, by a key that no certificate has */
    ANCHORS_UNKNOWN = 32  /* no root is configured at all */
};

static EVP_PKEY *keys[CERTS_MAX + 1]; /* of the certificates by their place; the last is nobody's */
static EVP_PKEY *root_key;
static X509 *root;
static uint64_t counter;

static int count_bytes(unsigned char *out, int len)
{
    for (int i = 0; i < len; i++) {
        counter = counter * 6364136223846793005U + 1442695040888963407U;
        out[i] = (unsigned char)(counter >> 33);
    }
    return 1;
}

static int always_seeded(void)
{
    return 1;
}

static const RAND_METHOD counted = {
    .bytes = count_bytes, .pseudorand = count_bytes, .status = always_seeded};

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    must(extension && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *make_root(void)
{
    X509 *cert = X509_new();
    must(cert && X509_set_version(cert, X509_VERSION_3) == 1);
    must(ASN1_TIME_set_string(X509_getm_notBefore(cert), "19700101000000Z") == 1);
    must(ASN1_TIME_set_string(X509_getm_notAfter(cert), "99991231235959Z") == 1);
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                    (const uint8_t *)"Root", -1, -1, 0) == 1);
    must(X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1);
    must(X509_set_pubkey(cert, root_key) == 1);
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    must(X509_sign(cert, root_key, EVP_sha256()) > 0);
    return cert;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    must(RAND_set_rand_method(&counted) == 1);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        keys[i] = EVP_EC_gen("P-256");
        must(keys[i]);
    }
    root_key = EVP_EC_gen("P-256");
    must(root_key);
    root = make_root();
    return 0;
}

/* -- certificates of the input ----------------------------------------------------------------- */

struct chain {
    X509 *at[CERTS_MAX];
    struct view der[CERTS_MAX];
    size_t count;
};

static void take_area(struct view area, struct chain *chain)
{
    struct view der;
    uint32_t quirks = 0;
    while (chain->count < CERTS_MAX && IS_OK(ek_area_next(&area, &der, &quirks))) {
        const uint8_t *at = der.data;
        X509 *cert = d2i_X509(NULL, &at, (long)der.len);
        if (cert) {
            chain->at[chain->count++] = cert;
        }
    }
}

static void take_pem(struct view text, struct chain *chain)
{
    struct pem_reader reader = pem_open(text);
    struct pem_block block;
    err_t read;
    while (!IS_E(read = pem_next(&reader, &block), NOT_FOUND)) {
        if (IS_OK(read)) {
            take_area(buf_view(block.der), chain);
            buf_free(block.der);
        }
    }
}

static void link_up(struct chain *chain, uint8_t control)
{
    for (size_t i = chain->count; i-- > 0;) {
        bool last = i + 1 == chain->count;
        bool own_root = last && i > 0 && (control & LAST_IS_ROOT);
        X509 *above = own_root ? chain->at[i] : last ? root : chain->at[i + 1];
        EVP_PKEY *signer = own_root ? keys[i] : last ? root_key : keys[i + 1];
        if (!(control & KEEP_ISSUERS)) {
            must(X509_set_issuer_name(chain->at[i], X509_get_subject_name(above)) == 1);
        }
        if (i > 0) {
            must(X509_set_pubkey(chain->at[i], keys[i]) == 1);
        }
        if (i == 0 && (control & SIGNED_BY_OTHER)) {
            signer = keys[CERTS_MAX];
        }
        if (i > 0 || !(control & KEEP_SIGNATURE)) {
            IGNORE_ERR(X509_sign(chain->at[i], signer, EVP_sha256()) > 0 ? OK : E(CRYPTO));
        }
    }
    for (size_t i = 0; i < chain->count; i++) {
        uint8_t *der = NULL;
        int len = i2d_X509(chain->at[i], &der);
        chain->der[i] = view_of(der, len > 0 ? (size_t)len : 0);
    }
}

static void chain_clear(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        X509_free(chain->at[i]);
        OPENSSL_free((uint8_t *)(uintptr_t)chain->der[i].data);
    }
}

/* -- judging ----------------------------------------------------------------------------------- */

/* Somebody of the name that the certificate gives must have signed it. */
static bool vouched_for(X509 *cert, const struct chain *chain, bool by_ours)
{
    for (size_t i = 1; i <= chain->count; i++) {
        X509 *issuer = i < chain->count ? chain->at[i] : by_ours ? root : NULL;
        EVP_PKEY *key = issuer ? X509_get0_pubkey(issuer) : NULL;
        if (key && X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) == 0 &&
            X509_verify(cert, key) == 1) {
            return true;
        }
    }
    return false;
}

static void configure(struct trust *trust, const struct chain *chain, uint8_t control)
{
    uint8_t *der = NULL;
    size_t count;
    int len = i2d_X509(root, &der);
    if (!(control & ANCHORS_UNKNOWN)) {
        must(IS_OK(trust_add_root(trust, view_of(der, (size_t)len), &count)));
    }
    OPENSSL_free(der);
    for (size_t i = 1; i < chain->count; i++) {
        bool last = i + 1 == chain->count;
        if (last && (control & LAST_IS_ROOT) && !(control & ANCHORS_UNKNOWN)) {
            IGNORE_ERR(trust_add_root(trust, chain->der[i], &count));
        } else if (!(control & SENT_BY_NODE)) {
            IGNORE_ERR(trust_add_intermediate(trust, chain->der[i], &count));
        }
    }
}

static void judge(struct trust *trust, const struct chain *chain, uint8_t control, uint64_t now_ms)
{
    AUTO(ek) ek = NULL;
    struct trust_verdict first;
    struct trust_verdict again;
    size_t sent = control & SENT_BY_NODE ? chain->count - 1 : 0;
    sent = sent > TRUST_NODE_CERTS_MAX ? TRUST_NODE_CERTS_MAX : sent;
    if (!IS_OK(ek_parse_for_display(chain->der[0], &ek)) ||
        !IS_OK(trust_evaluate(trust, ek, chain->der + 1, sent, now_ms, &first))) {
        return;
    }
    must(IS_OK(trust_evaluate(trust, ek, chain->der + 1, sent, now_ms, &again)) &&
         first.chain == again.chain && first.findings == again.findings);
    must((first.chain == TRUST_CHAIN_TRUSTED) == (first.findings == 0));
    must((first.chain == TRUST_CHAIN_TRUSTED) == IS_OK(first.reason));
    if (first.chain == TRUST_CHAIN_TRUSTED) {
        must(trust_root_count(trust) > 0 && ek->key && first.anchor[0]);
        must(!(X509_get_extension_flags(ek->x509) & EXFLAG_CA));
        must(vouched_for(ek->x509, chain, true));
    }
}

static void walk(struct view content, uint8_t control, uint64_t now_ms)
{
    AUTO(trust) trust = NULL;
    struct chain chain = {0};
    counter = 0;
    must(IS_OK(trust_new(&trust)));
    if (pem_is(content)) {
        take_pem(content, &chain);
    } else {
        take_area(content, &chain);
    }
    if (chain.count > 0) {
        link_up(&chain, control);
        configure(trust, &chain, control);
        judge(trust, &chain, control, now_ms);
    }
    chain_clear(&chain);
}

/* Bundles are read whole or not at all. */
static void load(struct view content)
{
    AUTO(trust) trust = NULL;
    size_t count = 0;
    struct trust_mixed mixed = {0};
    must(IS_OK(trust_new(&trust)));
    must(IS_OK(trust_add_root(trust, content, &count)) || trust_root_count(trust) == 0);
    size_t before = trust_root_count(trust) + trust_intermediate_count(trust);
    IGNORE_ERR(trust_add_mixed(trust, content, &mixed));
    must(trust_root_count(trust) + trust_intermediate_count(trust) ==
         before + mixed.roots + mixed.intermediates);
    IGNORE_ERR(trust_allow_hash(trust, content));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t month_ms = UINT64_C(30) * 24 * 3600 * 1000;
    load(view_of(data, size));
    if (size > CONTROL_BYTES) {
        const uint8_t *control = data + size - CONTROL_BYTES;
        uint64_t months = (uint64_t)control[1] << 8 | control[2];
        walk(view_of(data, size), control[0], months * month_ms);
    }
    return 0;
}
