#include "cmocka_all.h"
#include "issue.h"
#include "real.h"

#include "tpm/trust.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t now_ms = (uint64_t)Y2025 * 1000;

/* What most tests need: a root, an intermediate below it, an EK key. */
struct world {
    EVP_PKEY *root_key;
    EVP_PKEY *inter_key;
    EVP_PKEY *ek_key;
    EVP_PKEY *ek_rsa_key;
};

static void add_cert(struct trust *trust, const struct issue_spec *spec, bool root)
{
    X509 *cert = issue_certificate(spec);
    AUTO(buf) der = issue_der(cert);
    size_t count;
    assert_ok(root ? trust_add_root(trust, buf_view(der), &count)
                   : trust_add_intermediate(trust, buf_view(der), &count));
    assert_int_equal(count, 1);
    X509_free(cert);
}

static int make_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->root_key = issue_ec("P-384");
    w->inter_key = issue_ec("P-256");
    w->ek_key = issue_ec("P-256");
    w->ek_rsa_key = issue_rsa(2048);
    *state = w;
    return 0;
}

static int end_world(void **state)
{
    struct world *w = *state;
    EVP_PKEY_free(w->root_key);
    EVP_PKEY_free(w->inter_key);
    EVP_PKEY_free(w->ek_key);
    EVP_PKEY_free(w->ek_rsa_key);
    free(w);
    return 0;
}

/* Trust in root and intermediate as they should be. */
static struct trust *good_trust(struct world *w)
{
    struct trust *trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    add_cert(trust, &root, true);
    add_cert(trust, &inter, false);
    return trust;
}

static struct ek *ek_of(const struct issue_spec *spec)
{
    X509 *cert = issue_certificate(spec);
    AUTO(buf) der = issue_der(cert);
    struct ek *ek = NULL;
    assert_ok(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek));
    X509_free(cert);
    return ek;
}

static struct trust_verdict judge_at(const struct trust *trust, const struct issue_spec *spec,
                                     uint64_t at_ms)
{
    AUTO(ek) ek = ek_of(spec);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, at_ms, &verdict));
    return verdict;
}

static struct trust_verdict judge(const struct trust *trust, const struct issue_spec *spec)
{
    return judge_at(trust, spec, now_ms);
}

static void assert_invalid(struct trust_verdict verdict, enum trust_finding finding)
{
    assert_string_equal(trust_finding_name(verdict.finding), trust_finding_name(finding));
    assert_int_equal(verdict.chain, TRUST_CHAIN_INVALID);
    assert_err(verdict.reason, EK_CHAIN_INVALID);
    assert_string_equal(verdict.anchor, "");
}

static void assert_trusted(struct trust_verdict verdict)
{
    assert_string_equal(trust_finding_name(verdict.finding), "none");
    assert_int_equal(verdict.chain, TRUST_CHAIN_TRUSTED);
    assert_ok(verdict.reason);
}

static void ek_below_root_and_intermediate_is_trusted(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    struct trust_verdict verdict = judge(trust, &spec);
    assert_trusted(verdict);
    assert_string_equal(verdict.anchor, "/CN=Root");
    assert_false(verdict.expired);
    assert_false(verdict.hash_allowed);

    spec = issue_ek(w->ek_rsa_key, "Root", w->root_key);
    assert_trusted(judge(trust, &spec));
}

static void ek_without_its_intermediate_is_untrusted(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    add_cert(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    struct trust_verdict verdict = judge(trust, &spec);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    assert_int_equal(verdict.finding, TRUST_FINDING_ISSUER_UNKNOWN);
    assert_err(verdict.reason, EK_NOT_TRUSTED);
}

static void intermediate_from_the_node_completes_the_path(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    add_cert(trust, &root, true);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    X509 *cert = issue_certificate(&inter);
    AUTO(buf) der = issue_der(cert);
    struct view node[] = {buf_view(der)};
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    AUTO(ek) ek = ek_of(&spec);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, node, 1, now_ms, &verdict));
    assert_trusted(verdict);
    X509_free(cert);
}

static void put_cert(struct buf *area, const struct issue_spec *spec)
{
    X509 *cert = issue_certificate(spec);
    AUTO(buf) der = issue_der(cert);
    assert_ok(buf_put(area, buf_view(der)));
    X509_free(cert);
}

static void chain_behind_the_ek_certificate_completes_the_path(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    add_cert(trust, &root, true);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    AUTO(buf) area = NULL;
    assert_ok(buf_new(EK_MAX_BYTES, &area));
    put_cert(area, &spec);
    size_t alone = area->len;
    assert_ok(buf_put(area, view_of("\xff\xff\x00", 3)));
    put_cert(area, &spec); /* another EK's: no CA */
    put_cert(area, &inter);
    put_cert(area, &root);
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(area), EK_SOURCE_CERT, &ek));
    assert_true(view_equal(ek->cert, view_of(area->data, alone)));
    assert_int_equal(ek->chain_count, 2);
    assert_int_equal(ek->quirks, EK_QUIRK_SECOND_CERT | EK_QUIRK_PADDED);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, ek->chain, ek->chain_count, now_ms, &verdict));
    assert_trusted(verdict);

    /* What is stored says the same. */
    AUTO(ek) stored = NULL;
    assert_ok(ek_parse(buf_view(ek->area), EK_SOURCE_CERT, &stored));
    assert_int_equal(stored->chain_count, 2);
    assert_true(view_equal(stored->cert, ek->cert));
    assert_memory_equal(stored->cert_sha384, ek->cert_sha384, SHA384_BYTES);
    assert_ok(trust_evaluate(trust, stored, NULL, 0, now_ms, &verdict));
    assert_int_equal(verdict.finding, TRUST_FINDING_ISSUER_UNKNOWN);
}

static void chain_of_more_than_eight_is_refused(void **state)
{
    struct world *w = *state;
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    AUTO(buf) area = NULL;
    assert_ok(buf_new(EK_MAX_BYTES, &area));
    put_cert(area, &spec);
    for (int i = 0; i < EK_CHAIN_MAX; i++) {
        put_cert(area, &inter);
    }
    AUTO(ek) most = NULL;
    AUTO(ek) none = NULL;
    assert_ok(ek_parse(buf_view(area), EK_SOURCE_CERT, &most));
    assert_int_equal(most->chain_count, EK_CHAIN_MAX);
    assert_ok(buf_put(area, view_of("\x30\x00", 2))); /* no certificate, but counted */
    assert_err(ek_parse(buf_view(area), EK_SOURCE_CERT, &none), TOO_LONG);
}

static void root_from_the_node_counts_for_nothing(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    X509 *cert = issue_certificate(&root);
    AUTO(buf) der = issue_der(cert);
    struct view node[] = {buf_view(der)};
    struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
    AUTO(ek) ek = ek_of(&spec);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, node, 1, now_ms, &verdict));
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    assert_err(verdict.reason, EK_NOT_TRUSTED);
    X509_free(cert);
}

static void node_intermediates_past_a_limit_are_refused(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    AUTO(ek) ek = ek_of(&spec);
    struct issue_spec root = issue_root("Root", w->root_key);
    X509 *cert = issue_certificate(&root);
    AUTO(buf) der = issue_der(cert);
    struct view node[TRUST_NODE_CERTS_MAX + 1];
    for (size_t i = 0; i <= TRUST_NODE_CERTS_MAX; i++) {
        node[i] = buf_view(der);
    }
    static uint8_t large[TRUST_NODE_CERT_MAX_BYTES + 1];
    memcpy(large, der->data, der->len);
    struct view too_large = view_of(large, sizeof large);
    struct view padded = view_of(large, sizeof large - 1);
    struct view garbage = view_text("garbage");
    struct view empty = VIEW_EMPTY;
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, node, TRUST_NODE_CERTS_MAX, now_ms, &verdict));
    assert_err(trust_evaluate(trust, ek, node, TRUST_NODE_CERTS_MAX + 1, now_ms, &verdict),
               TOO_LONG);
    assert_err(trust_evaluate(trust, ek, &too_large, 1, now_ms, &verdict), TOO_LONG);
    assert_ok(trust_evaluate(trust, ek, &padded, 1, now_ms, &verdict));
    assert_err(trust_evaluate(trust, ek, &garbage, 1, now_ms, &verdict), FIELD_INVALID);
    assert_err(trust_evaluate(trust, ek, &empty, 1, now_ms, &verdict), FIELD_INVALID);
    X509_free(cert);
}

static void ca_of_the_same_name_with_another_key_is_never_trusted(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    EVP_PKEY *other = issue_ec("P-256");
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", other);
    assert_invalid(judge(trust, &spec), TRUST_FINDING_SIGNATURE);

    /* The forger's own CA certificate, sent along, does not help. */
    struct issue_spec forged = issue_intermediate("Inter", other, "Root", other);
    X509 *cert = issue_certificate(&forged);
    AUTO(buf) der = issue_der(cert);
    struct view node[] = {buf_view(der)};
    AUTO(ek) ek = ek_of(&spec);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, node, 1, now_ms, &verdict));
    assert_invalid(verdict, TRUST_FINDING_SIGNATURE);
    X509_free(cert);
    EVP_PKEY_free(other);
}

static void right_ca_is_found_among_several_of_the_same_name(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    for (size_t i = 0; i < 5; i++) {
        EVP_PKEY *other = issue_ec("P-256");
        struct issue_spec namesake = issue_root("Root", other);
        add_cert(trust, &namesake, true);
        EVP_PKEY_free(other);
    }
    struct issue_spec root = issue_root("Root", w->root_key);
    add_cert(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
    assert_trusted(judge(trust, &spec));
}

static void finding_is_that_of_the_ca_that_did_sign(void **state)
{
    struct world *w = *state;
    EVP_PKEY *other = issue_ec("P-256");
    struct issue_spec namesake = issue_root("Root", other);
    struct issue_spec past = issue_root("Root", w->root_key);
    past.until = Y2015;
    struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
    for (int i = 0; i < 2; i++) {
        AUTO(trust) trust = NULL;
        assert_ok(trust_new(&trust));
        add_cert(trust, i ? &past : &namesake, true);
        add_cert(trust, i ? &namesake : &past, true);
        assert_invalid(judge(trust, &spec), TRUST_FINDING_ISSUER_NOT_VALID);
    }
    EVP_PKEY_free(other);
}

static void signature_of_a_ca_that_is_not_named_counts_for_nothing(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Somebody else", w->inter_key);
    struct trust_verdict verdict = judge(trust, &spec);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    assert_int_equal(verdict.finding, TRUST_FINDING_ISSUER_UNKNOWN);
}

/* Each candidate costs a signature check; there is an end to them. */
static void candidates_of_one_name_are_tried_up_to_a_bound(void **state)
{
    struct world *w = *state;
    EVP_PKEY *other = issue_ec("P-256");
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec namesake = issue_root("Root", other);
    for (size_t i = 0; i < 64; i++) {
        add_cert(trust, &namesake, true);
    }
    struct issue_spec root = issue_root("Root", w->root_key);
    add_cert(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
    assert_invalid(judge(trust, &spec), TRUST_FINDING_SIGNATURE);
    EVP_PKEY_free(other);
}

static void self_signed_ek_is_not_trusted(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "EK", w->ek_key);
    spec.subject = "EK";
    struct trust_verdict verdict = judge(trust, &spec);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
    assert_err(verdict.reason, EK_NOT_TRUSTED);
}

static void ca_certificate_shown_as_ek_is_refused(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec root = issue_root("Root", w->root_key);
    assert_invalid(judge(trust, &root), TRUST_FINDING_EK_IS_CA);

    /* Even one with the EK purpose, as some vendors' CAs have. */
    struct issue_spec ca = issue_ek(w->ek_key, "Inter", w->inter_key);
    ca.basic_constraints = "critical,CA:TRUE";
    assert_invalid(judge(trust, &ca), TRUST_FINDING_EK_IS_CA);

    struct issue_spec signer = issue_ek(w->ek_key, "Inter", w->inter_key);
    signer.basic_constraints = NULL;
    signer.key_usage = "critical,keyAgreement,keyCertSign";
    assert_invalid(judge(trust, &signer), TRUST_FINDING_EK_IS_CA);
}

static void web_server_certificate_under_the_same_root_is_refused(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_rsa_key, "Inter", w->inter_key);
    spec.purposes = "serverAuth";
    spec.tpm_san = false;
    assert_invalid(judge(trust, &spec), TRUST_FINDING_EK_PURPOSE);
    spec.purposes = "serverAuth,clientAuth";
    spec.tpm_san = true;
    assert_invalid(judge(trust, &spec), TRUST_FINDING_EK_PURPOSE);
    spec.purposes = NULL;
    spec.tpm_san = false;
    assert_invalid(judge(trust, &spec), TRUST_FINDING_EK_PURPOSE);
    spec.purposes = "serverAuth,2.23.133.8.1";
    spec.key_usage = "critical,digitalSignature,keyEncipherment";
    assert_invalid(judge(trust, &spec), TRUST_FINDING_EK_KEY_USAGE);
}

static void certificate_without_purpose_needs_the_tpm_name_or_a_known_vendor(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.purposes = NULL;
    assert_trusted(judge(trust, &spec));
    spec.tpm_san = false;
    assert_invalid(judge(trust, &spec), TRUST_FINDING_EK_PURPOSE);
    spec.extra_oid = "1.3.6.1.4.1.11129.2.1.21";
    assert_trusted(judge(trust, &spec));
}

static void key_usage_must_fit_the_key(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct {
        EVP_PKEY *key;
        const char *usage;
        bool good;
    } cases[] = {
        {w->ek_key, NULL, true},
        {w->ek_key, "keyAgreement", true},
        {w->ek_key, "keyEncipherment", true},
        {w->ek_key, "digitalSignature", false},
        {w->ek_key, "digitalSignature,keyAgreement", false},
        {w->ek_key, "dataEncipherment", false},
        {w->ek_rsa_key, NULL, true},
        {w->ek_rsa_key, "keyEncipherment", true},
        {w->ek_rsa_key, "keyAgreement", false},
        {w->ek_rsa_key, "digitalSignature", false},
        {w->ek_rsa_key, "nonRepudiation,keyEncipherment", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct issue_spec spec = issue_ek(cases[i].key, "Inter", w->inter_key);
        spec.key_usage = cases[i].usage;
        struct trust_verdict verdict = judge(trust, &spec);
        if (cases[i].good) {
            assert_trusted(verdict);
        } else {
            assert_invalid(verdict, TRUST_FINDING_EK_KEY_USAGE);
        }
    }
}

static void expired_factory_certificate_is_accepted_and_shown(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.from = Y2015;
    spec.until = Y2020;
    struct trust_verdict verdict = judge(trust, &spec);
    assert_trusted(verdict);
    assert_true(verdict.expired);
}

static void certificate_of_the_future_is_refused(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    uint64_t issued = (uint64_t)spec.from * 1000;
    assert_invalid(judge_at(trust, &spec, issued - 3600 * 1000), TRUST_FINDING_EK_NOT_YET_VALID);
    assert_invalid(judge_at(trust, &spec, issued - 301 * 1000), TRUST_FINDING_EK_NOT_YET_VALID);
    /* Clocks differ by minutes. */
    assert_trusted(judge_at(trust, &spec, issued - 299 * 1000));
    spec.until = spec.from - 1;
    assert_invalid(judge(trust, &spec), TRUST_FINDING_EK_VALIDITY);
}

static void issuer_must_have_been_valid_at_issue_or_be_valid_now(void **state)
{
    struct world *w = *state;
    struct {
        int64_t from;
        int64_t until;
        bool good;
    } cases[] = {
        {Y2015, Y2025 - 86400, true}, /* expired since */
        {Y2025 - 86400, Y2030, true}, /* renewed with the same key */
        {Y2010, Y2015, false},        /* expired before the EK was made */
        {Y2030, Y2040, false},        /* not yet valid at all */
        {Y2020 + 86400, Y2025 - 86400, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(trust) trust = NULL;
        assert_ok(trust_new(&trust));
        struct issue_spec root = issue_root("Root", w->root_key);
        root.from = cases[i].from;
        root.until = cases[i].until;
        add_cert(trust, &root, true);
        struct issue_spec spec = issue_ek(w->ek_key, "Root", w->root_key);
        struct trust_verdict verdict = judge(trust, &spec);
        if (cases[i].good) {
            assert_trusted(verdict);
        } else {
            assert_invalid(verdict, TRUST_FINDING_ISSUER_NOT_VALID);
        }
    }
}

/* The intermediate is changed, everything else is good. */
static struct trust_verdict judge_below(struct world *w, const struct issue_spec *inter)
{
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    add_cert(trust, &root, true);
    add_cert(trust, inter, false);
    struct issue_spec spec = issue_ek(w->ek_key, inter->subject, inter->key);
    return judge(trust, &spec);
}

static void issuer_that_is_no_ca_is_refused(void **state)
{
    struct world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.basic_constraints = "critical,CA:FALSE";
    inter.key_usage = "critical,digitalSignature";
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_ISSUER_NOT_CA);
    inter.basic_constraints = NULL;
    inter.key_usage = NULL;
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_ISSUER_NOT_CA);
    inter.basic_constraints = "critical,CA:TRUE";
    inter.key_usage = "critical,cRLSign";
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_ISSUER_NOT_CA);
    inter.key_usage = NULL;
    assert_trusted(judge_below(w, &inter));
}

static void ek_of_a_tpm_cannot_issue_another_ek(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec first = issue_ek(w->inter_key, "Inter", w->inter_key);
    first.subject = "TPM";
    add_cert(trust, &first, false);
    struct issue_spec spec = issue_ek(w->ek_key, "TPM", w->inter_key);
    assert_invalid(judge(trust, &spec), TRUST_FINDING_ISSUER_NOT_CA);
}

static void issuer_with_unknown_critical_extension_is_refused(void **state)
{
    struct world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.unknown_critical = true;
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_ISSUER_EXTENSION);
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.unknown_critical = true;
    assert_invalid(judge(trust, &spec), TRUST_FINDING_EK_EXTENSION);
}

static void extension_that_occurs_twice_is_refused(void **state)
{
    struct world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.extra_oid = "1.3.6.1.4.1.55555.2";
    assert_trusted(judge_below(w, &inter));
    inter.extra_twice = true;
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_ISSUER_EXTENSION);
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    spec.extra_oid = "1.3.6.1.4.1.55555.2";
    assert_trusted(judge(trust, &spec));
    spec.extra_twice = true;
    assert_invalid(judge(trust, &spec), TRUST_FINDING_EK_EXTENSION);
}

static void name_constraints_are_honoured(void **state)
{
    struct world *w = *state;
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.name_constraints = "critical,permitted;DNS:example.com";
    assert_trusted(judge_below(w, &inter)); /* no DNS name, nothing to constrain */
    inter.name_constraints = NULL;
    inter.permitted_directory = "Another vendor";
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_NAME_CONSTRAINT);
}

static void weak_signatures_are_refused(void **state)
{
    struct world *w = *state;
    EVP_PKEY *rsa_root = issue_rsa(2048);
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", rsa_root);
    root.hash = EVP_sha1(); /* its own signature is not looked at */
    add_cert(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "Root", rsa_root);
    assert_trusted(judge(trust, &spec));
    spec.hash = EVP_sha384();
    assert_trusted(judge(trust, &spec));
    spec.hash = EVP_sha512();
    assert_trusted(judge(trust, &spec));
    spec.hash = EVP_sha1();
    assert_invalid(judge(trust, &spec), TRUST_FINDING_WEAK_SIGNATURE);
    spec.hash = EVP_md5();
    assert_invalid(judge(trust, &spec), TRUST_FINDING_WEAK_SIGNATURE);
    EVP_PKEY_free(rsa_root);

    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    inter.hash = EVP_sha1();
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_WEAK_SIGNATURE);
}

static void issuer_with_a_small_key_is_refused(void **state)
{
    struct world *w = *state;
    EVP_PKEY *small = issue_rsa(1024);
    struct issue_spec inter = issue_intermediate("Inter", small, "Root", w->root_key);
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_ISSUER_KEY);
    EVP_PKEY_free(small);
    small = issue_ec("P-224");
    inter = issue_intermediate("Inter", small, "Root", w->root_key);
    assert_invalid(judge_below(w, &inter), TRUST_FINDING_ISSUER_KEY);
    EVP_PKEY_free(small);
}

/* A chain of `count` intermediates below the root, named "1", "2" and so on. */
static struct trust_verdict judge_depth(struct world *w, size_t count, const char *root_constraints)
{
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("0", w->root_key);
    root.basic_constraints = root_constraints;
    add_cert(trust, &root, true);
    char issuer[8] = "0";
    EVP_PKEY *signer = w->root_key;
    for (size_t i = 1; i <= count; i++) {
        char name[8];
        snprintf(name, sizeof name, "%zu", i);
        struct issue_spec inter = issue_intermediate(name, w->inter_key, issuer, signer);
        add_cert(trust, &inter, false);
        memcpy(issuer, name, sizeof issuer);
        signer = w->inter_key;
    }
    struct issue_spec spec = issue_ek(w->ek_key, issuer, signer);
    return judge(trust, &spec);
}

static void path_length_is_honoured(void **state)
{
    struct world *w = *state;
    assert_trusted(judge_depth(w, 0, "critical,CA:TRUE,pathlen:0"));
    assert_invalid(judge_depth(w, 1, "critical,CA:TRUE,pathlen:0"), TRUST_FINDING_PATH_LENGTH);
    assert_trusted(judge_depth(w, 1, "critical,CA:TRUE,pathlen:1"));
    assert_invalid(judge_depth(w, 3, "critical,CA:TRUE,pathlen:2"), TRUST_FINDING_PATH_LENGTH);
    assert_trusted(judge_depth(w, TRUST_DEPTH_MAX, "critical,CA:TRUE"));
    assert_invalid(judge_depth(w, TRUST_DEPTH_MAX + 1, "critical,CA:TRUE"),
                   TRUST_FINDING_PATH_LENGTH);
}

static void intermediates_that_sign_each_other_do_not_loop(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec a = issue_intermediate("A", w->inter_key, "B", w->root_key);
    struct issue_spec b = issue_intermediate("B", w->root_key, "A", w->inter_key);
    add_cert(trust, &a, false);
    add_cert(trust, &b, false);
    struct issue_spec spec = issue_ek(w->ek_key, "A", w->inter_key);
    struct trust_verdict verdict = judge(trust, &spec);
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
}

static void names_are_compared_regardless_of_case_and_white_space(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Vendor  Root", w->root_key);
    add_cert(trust, &root, true);
    struct issue_spec spec = issue_ek(w->ek_key, "vendor root", w->root_key);
    assert_trusted(judge(trust, &spec));
}

static void every_bit_of_the_signature_counts(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    struct issue_spec spec = issue_ek(w->ek_key, "Inter", w->inter_key);
    X509 *cert = issue_certificate(&spec);
    AUTO(buf) der = issue_der(cert);
    X509_free(cert);
    /* The signature is at the end; the bits before it are covered by it. */
    for (size_t bit = 0; bit < der->len * 8; bit += 3) {
        der->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        AUTO(ek) ek = NULL;
        if (IS_OK(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek))) {
            struct trust_verdict verdict;
            assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
            assert_int_not_equal(verdict.chain, TRUST_CHAIN_TRUSTED);
            assert_false(IS_OK(verdict.reason));
        }
        der->data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void key_allowed_by_hash_is_accepted_without_certificate(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = good_trust(w);
    AUTO(buf) spki = issue_spki(w->ek_key);
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(spki), EK_SOURCE_PUB, &ek));
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
    assert_int_equal(verdict.chain, TRUST_CHAIN_NONE);
    assert_err(verdict.reason, EK_NOT_A_CERTIFICATE);

    AUTO(buf) hex = NULL;
    assert_ok(buf_new(200, &hex));
    for (size_t i = 0; i < sizeof ek->spki_sha256; i++) {
        assert_ok(buf_printf(hex, "%02X", ek->spki_sha256[i]));
    }
    assert_ok(trust_allow_hash(trust, buf_view(hex)));
    assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
    assert_true(verdict.hash_allowed);
    assert_ok(verdict.reason);
    assert_int_equal(verdict.chain, TRUST_CHAIN_NONE);

    AUTO(trust) by_long = NULL;
    assert_ok(trust_new(&by_long));
    buf_truncate(hex, 0);
    for (size_t i = 0; i < sizeof ek->spki_sha384; i++) {
        assert_ok(buf_printf(hex, "%02x", ek->spki_sha384[i]));
    }
    assert_ok(trust_allow_hash(by_long, buf_view(hex)));
    assert_ok(trust_evaluate(by_long, ek, NULL, 0, now_ms, &verdict));
    assert_ok(verdict.reason);
}

static void hash_of_another_key_allows_nothing(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    char text[97] = "";
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%08x%056d", i * 2654435761U, 7);
        assert_ok(trust_allow_hash(trust, view_text(text)));
        assert_ok(trust_allow_hash(trust, view_text(text)));
    }
    assert_int_equal(trust_hash_count(trust), 5000);
    AUTO(buf) spki = issue_spki(w->ek_key);
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(spki), EK_SOURCE_PUB, &ek));
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
    assert_false(verdict.hash_allowed);
    assert_err(verdict.reason, EK_NOT_A_CERTIFICATE);
    assert_err(trust_allow_hash(trust, view_text("")), FIELD_INVALID);
    assert_err(trust_allow_hash(trust, view_text("abcd")), FIELD_INVALID);
    memset(text, 'g', 64);
    text[64] = '\0';
    assert_err(trust_allow_hash(trust, view_text(text)), FIELD_INVALID);
}

static void bundles_are_read_whole_or_not_at_all(void **state)
{
    struct world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec other = issue_root("Other", w->inter_key);
    X509 *first = issue_certificate(&root);
    X509 *second = issue_certificate(&other);
    AUTO(buf) first_pem = issue_pem(first);
    AUTO(buf) second_pem = issue_pem(second);
    AUTO(buf) bundle = NULL;
    assert_ok(buf_new(16384, &bundle));
    assert_ok(buf_put_text(bundle, "# comment\n"));
    assert_ok(buf_put(bundle, buf_view(first_pem)));
    assert_ok(buf_put_text(bundle, "\nanother\n"));
    assert_ok(buf_put(bundle, buf_view(second_pem)));
    size_t count = 99;
    assert_ok(trust_add_root(trust, buf_view(bundle), &count));
    assert_int_equal(count, 2);
    assert_ok(trust_add_root(trust, buf_view(bundle), &count));
    assert_int_equal(count, 0);
    assert_int_equal(trust_root_count(trust), 2);

    assert_err(trust_add_root(trust, VIEW_EMPTY, &count), FIELD_INVALID);
    assert_err(trust_add_root(trust, view_text("no certificate"), &count), FIELD_INVALID);
    /* The second block damaged, then a block of another kind. */
    bundle->data[bundle->len - 100] = '!';
    assert_err(trust_add_intermediate(trust, buf_view(bundle), &count), FIELD_INVALID);
    static const char label[] = "CERTIFICATE";
    static const char other_label[] = "PUBLIC KEY ";
    AUTO(buf) relabelled = NULL;
    assert_ok(buf_new(16384, &relabelled));
    assert_ok(buf_put(relabelled, buf_view(first_pem)));
    assert_ok(buf_put(relabelled, buf_view(second_pem)));
    for (size_t i = first_pem->len; i + sizeof label < relabelled->len; i++) {
        if (memcmp(relabelled->data + i, label, sizeof label - 1) == 0) {
            memcpy(relabelled->data + i, other_label, sizeof label - 1);
        }
    }
    assert_err(trust_add_intermediate(trust, buf_view(relabelled), &count), FIELD_INVALID);
    assert_int_equal(trust_intermediate_count(trust), 0);
    X509_free(first);
    X509_free(second);
}

static void write_file(const char *folder, const char *name, struct view content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.len, file), content.len);
    fclose(file);
}

static void remove_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static void folder_is_loaded_and_a_bad_file_is_named(void **state)
{
    struct world *w = *state;
    char folder[] = "/tmp/trust-folder-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec other = issue_root("Other", w->inter_key);
    X509 *first = issue_certificate(&root);
    X509 *second = issue_certificate(&other);
    AUTO(buf) pem = issue_pem(first);
    AUTO(buf) der = issue_der(second);
    write_file(folder, "a.pem", buf_view(pem));
    write_file(folder, "b.der", buf_view(der));
    write_file(folder, ".hidden", view_text("junk"));
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    char bad[TRUST_FILE_NAME_SIZE] = "";
    assert_ok(trust_load_folder(trust, folder, true, bad, sizeof bad));
    assert_int_equal(trust_root_count(trust), 2);
    assert_string_equal(bad, "");
    write_file(folder, "c.pem", view_text("junk"));
    assert_err(trust_load_folder(trust, folder, false, bad, sizeof bad), CONFIG_INVALID);
    assert_string_equal(bad, "c.pem");
    assert_err(trust_load_folder(trust, "/nonexistent/folder", true, bad, sizeof bad),
               CONFIG_UNREADABLE);
    const char *names[] = {"a.pem", "b.der", "c.pem", ".hidden"};
    for (size_t i = 0; i < 4; i++) {
        remove_file(folder, names[i]);
    }
    rmdir(folder);
    X509_free(first);
    X509_free(second);
}

/* The real collection: roots and intermediates as expected_certs.json names them. */
static struct trust *real_trust(void)
{
    struct trust *trust = NULL;
    assert_ok(trust_new(&trust));
    json_t *list = real_json("ca-certificates/expected_certs.json");
    assert_true(json_array_size(list) >= 15);
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        char path[256];
        snprintf(path, sizeof path, "ca-certificates/%s", real_text(entry, "file"));
        AUTO(buf) pem = real_file(path);
        size_t count;
        bool root = strcmp(real_text(entry, "role"), "root CA") == 0;
        assert_ok(root ? trust_add_root(trust, buf_view(pem), &count)
                       : trust_add_intermediate(trust, buf_view(pem), &count));
        assert_int_equal(count, 1);
    }
    json_decref(list);
    return trust;
}

static const struct {
    const char *file;
    enum trust_chain chain;
    enum trust_finding finding;
} real_outcomes[] = {
    {"ntc_npct75x_keylime.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"stm_st33htphahb4_rsa_padded_ff.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"ifx_slb9665_053e_ca029.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"ifx_slb9670_0728_ca007.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"intel_spt_rsa2048.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"stm_st33htphahe0_ca06.der", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"intel_glk_ecc_p256.der", TRUST_CHAIN_UNTRUSTED, TRUST_FINDING_ISSUER_UNKNOWN},
    {"gce_uca_tpm_rsa_enc_cert.pem", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"gce_pca_tpm_ecc_enc_cert.pem", TRUST_CHAIN_TRUSTED, TRUST_FINDING_NONE},
    {"gce_uca_tpm_ecc_sign_cert.pem", TRUST_CHAIN_INVALID, TRUST_FINDING_EK_KEY_USAGE},
    {"hirs_nuc_ek_with_tcg_header.bin", TRUST_CHAIN_INVALID, TRUST_FINDING_WEAK_SIGNATURE},
    {"hirs_nuc_ek_tpm12.der", TRUST_CHAIN_INVALID, TRUST_FINDING_WEAK_SIGNATURE},
};

static void real_certificates_get_the_expected_verdicts(void **state)
{
    (void)state;
    AUTO(trust) trust = real_trust();
    size_t count = sizeof real_outcomes / sizeof real_outcomes[0];
    json_t *list = real_json("ek-certificates/expected_certs.json");
    assert_int_equal(json_array_size(list), count);
    json_decref(list);
    for (size_t i = 0; i < count; i++) {
        char path[256];
        snprintf(path, sizeof path, "ek-certificates/%s", real_outcomes[i].file);
        AUTO(buf) sent = real_file(path);
        AUTO(ek) ek = NULL;
        assert_ok(ek_parse(buf_view(sent), EK_SOURCE_CERT, &ek));
        struct trust_verdict verdict;
        assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
        if (verdict.chain != real_outcomes[i].chain ||
            verdict.finding != real_outcomes[i].finding) {
            fail_msg("%s: chain %d, %s", path, (int)verdict.chain,
                     trust_finding_name(verdict.finding));
        }
    }
}

static void real_certificates_without_roots_are_untrusted(void **state)
{
    (void)state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    AUTO(buf) sent = real_file("ek-certificates/ifx_slb9670_0728_ca007.der");
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(sent), EK_SOURCE_CERT, &ek));
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, now_ms, &verdict));
    assert_int_equal(verdict.chain, TRUST_CHAIN_UNTRUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ek_below_root_and_intermediate_is_trusted),
        cmocka_unit_test(ek_without_its_intermediate_is_untrusted),
        cmocka_unit_test(intermediate_from_the_node_completes_the_path),
        cmocka_unit_test(chain_behind_the_ek_certificate_completes_the_path),
        cmocka_unit_test(chain_of_more_than_eight_is_refused),
        cmocka_unit_test(root_from_the_node_counts_for_nothing),
        cmocka_unit_test(node_intermediates_past_a_limit_are_refused),
        cmocka_unit_test(ca_of_the_same_name_with_another_key_is_never_trusted),
        cmocka_unit_test(right_ca_is_found_among_several_of_the_same_name),
        cmocka_unit_test(finding_is_that_of_the_ca_that_did_sign),
        cmocka_unit_test(signature_of_a_ca_that_is_not_named_counts_for_nothing),
        cmocka_unit_test(candidates_of_one_name_are_tried_up_to_a_bound),
        cmocka_unit_test(self_signed_ek_is_not_trusted),
        cmocka_unit_test(ca_certificate_shown_as_ek_is_refused),
        cmocka_unit_test(web_server_certificate_under_the_same_root_is_refused),
        cmocka_unit_test(certificate_without_purpose_needs_the_tpm_name_or_a_known_vendor),
        cmocka_unit_test(key_usage_must_fit_the_key),
        cmocka_unit_test(expired_factory_certificate_is_accepted_and_shown),
        cmocka_unit_test(certificate_of_the_future_is_refused),
        cmocka_unit_test(issuer_must_have_been_valid_at_issue_or_be_valid_now),
        cmocka_unit_test(issuer_that_is_no_ca_is_refused),
        cmocka_unit_test(ek_of_a_tpm_cannot_issue_another_ek),
        cmocka_unit_test(issuer_with_unknown_critical_extension_is_refused),
        cmocka_unit_test(extension_that_occurs_twice_is_refused),
        cmocka_unit_test(name_constraints_are_honoured),
        cmocka_unit_test(weak_signatures_are_refused),
        cmocka_unit_test(issuer_with_a_small_key_is_refused),
        cmocka_unit_test(path_length_is_honoured),
        cmocka_unit_test(intermediates_that_sign_each_other_do_not_loop),
        cmocka_unit_test(names_are_compared_regardless_of_case_and_white_space),
        cmocka_unit_test(every_bit_of_the_signature_counts),
        cmocka_unit_test(key_allowed_by_hash_is_accepted_without_certificate),
        cmocka_unit_test(hash_of_another_key_allows_nothing),
        cmocka_unit_test(bundles_are_read_whole_or_not_at_all),
        cmocka_unit_test(folder_is_loaded_and_a_bad_file_is_named),
        cmocka_unit_test(real_certificates_get_the_expected_verdicts),
        cmocka_unit_test(real_certificates_without_roots_are_untrusted),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
