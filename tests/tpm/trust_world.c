#include "trust_world.h"

#include "cmocka_all.h"

#include <stdlib.h>

const uint64_t world_now_ms = (uint64_t)Y2025 * 1000;

int world_make(void **state)
{
    struct trust_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->root_key = issue_ec("P-384");
    w->inter_key = issue_ec("P-256");
    w->second_key = issue_ec("P-256");
    w->ek_key = issue_ec("P-256");
    w->ek_rsa_key = issue_rsa(2048);
    *state = w;
    return 0;
}

int world_end(void **state)
{
    struct trust_world *w = *state;
    EVP_PKEY_free(w->root_key);
    EVP_PKEY_free(w->inter_key);
    EVP_PKEY_free(w->second_key);
    EVP_PKEY_free(w->ek_key);
    EVP_PKEY_free(w->ek_rsa_key);
    free(w);
    return 0;
}

struct trust *world_trust(struct trust_world *w)
{
    struct trust *trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec inter = issue_intermediate("Inter", w->inter_key, "Root", w->root_key);
    world_add(trust, &root, true);
    world_add(trust, &inter, false);
    return trust;
}

struct buf *world_der(const struct issue_spec *spec)
{
    X509 *cert = issue_certificate(spec);
    struct buf *der = issue_der(cert);
    X509_free(cert);
    return der;
}

void world_add(struct trust *trust, const struct issue_spec *spec, bool root)
{
    AUTO(buf) der = world_der(spec);
    size_t count;
    assert_ok(root ? trust_add_root(trust, buf_view(der), &count)
                   : trust_add_intermediate(trust, buf_view(der), &count));
    assert_int_equal(count, 1);
}

struct trust_mixed world_add_mixed(struct trust *trust, const struct issue_spec *spec)
{
    AUTO(buf) der = world_der(spec);
    struct trust_mixed added;
    assert_ok(trust_add_mixed(trust, buf_view(der), &added));
    return added;
}

struct ek *world_ek(const struct issue_spec *spec)
{
    AUTO(buf) der = world_der(spec);
    struct ek *ek = NULL;
    assert_ok(ek_parse(buf_view(der), EK_SOURCE_CERT, &ek));
    return ek;
}

struct trust_verdict world_judge_at(const struct trust *trust, const struct issue_spec *spec,
                                    uint64_t at_ms)
{
    AUTO(ek) ek = world_ek(spec);
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, at_ms, &verdict));
    return verdict;
}

struct trust_verdict world_judge(const struct trust *trust, const struct issue_spec *spec)
{
    return world_judge_at(trust, spec, world_now_ms);
}

struct trust_verdict world_judge_der(const struct trust *trust, struct view der)
{
    AUTO(ek) ek = NULL;
    struct trust_verdict verdict;
    assert_ok(ek_parse(der, EK_SOURCE_CERT, &ek));
    assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
    return verdict;
}

struct trust_verdict world_judge_below(struct trust_world *w, const struct issue_spec *inter)
{
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    world_add(trust, &root, true);
    world_add(trust, inter, false);
    struct issue_spec spec = issue_ek(w->ek_key, inter->subject, inter->key);
    return world_judge(trust, &spec);
}

void assert_finding(struct trust_verdict verdict, enum trust_finding finding)
{
    assert_string_equal(trust_finding_name(verdict.finding), trust_finding_name(finding));
}

void assert_trusted(struct trust_verdict verdict)
{
    assert_finding(verdict, TRUST_FINDING_NONE);
    assert_int_equal(verdict.chain, TRUST_CHAIN_TRUSTED);
    assert_ok(verdict.reason);
}

void assert_invalid(struct trust_verdict verdict, enum trust_finding finding)
{
    assert_finding(verdict, finding);
    assert_int_equal(verdict.chain, TRUST_CHAIN_INVALID);
    assert_err(verdict.reason, EK_CHAIN_INVALID);
    assert_string_equal(verdict.anchor, "");
}
