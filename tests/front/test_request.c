/* From a body to the signer's message, and the small readers beside it: query, Accept, rate,
 * drain. */
#include "check.h"

#include "front/node_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/accept.h"
#include "front/drain.h"
#include "front/exchange.h"
#include "front/query.h"
#include "front/rate.h"

static struct fields fields;

#define FINGERPRINT \
    "\"ek_fingerprint\":\"abababababababababababababababababababababababababababababababab\""

static void attest_fields_reach_their_place(void **state)
{
    (void)state;
    struct ipc_attest_request r;
    const char *body =
        "{" FINGERPRINT
        ",\"ek_cert_pem\":\"Y2VydA==\",\"session_id\":\"000102030405060708090a0b0c0d0e0F\","
        "\"nonce_id\":\"ffffffffffffffffffffffffffffffff\",\"activated_secret\":\"c2VjcmV0\",\"ak_"
        "pub\":\"YWs=\","
        "\"pcr_quote\":\"cXVvdGU=\",\"pcr_signature\":\"c2ln\",\"event_log\":\"bG9n\",\"hw_mac\":"
        "\"aa:bb\","
        "\"pcr_values\":{\"sha1:3\":\"0000000000000000000000000000000000000000\"}}";
    assert_ok(fields_read(view_text(body), &fields));
    assert_ok(node_request_attest(&fields, &r));
    assert_int_equal(r.ek_fingerprint.len, 64);
    assert_true(view_is(r.ek, "cert"));
    assert_int_equal(r.ek_source, 1);
    assert_int_equal(r.session_id.len, 16);
    assert_int_equal(r.session_id.data[15], 0x0f);
    assert_int_equal(r.nonce_id.data[0], 0xff);
    assert_true(view_is(r.activated_secret, "secret"));
    assert_true(view_is(r.ak_public, "ak"));
    assert_true(view_is(r.quote, "quote"));
    assert_true(view_is(r.signature, "sig"));
    assert_true(view_is(r.event_log, "log"));
    assert_true(view_is(r.hw_mac, "aa:bb"));
    assert_true(view_is(r.hw_uuid, "unknown"));
    struct ipc_pcr_value_record value;
    assert_true(ipc_list_next_pcr_value(&r.pcr_values, &value));
    assert_int_equal(value.bank, 4);
    assert_int_equal(value.index, 3);
    assert_int_equal(value.digest.len, 20);
    assert_false(ipc_list_next_pcr_value(&r.pcr_values, &value));
    fields_clear(&fields);
}

static void ek_source_decides_which_material_counts(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        const char *ek;
        uint8_t source;
        const char *public_area;
    } cases[] = {
        {"\"ek_cert_pem\":\"Y2VydA==\"", "cert", 1, ""},
        {"\"ek_cert_pem\":\"Y2VydA==\",\"ek_pub\":\"cHVi\"", "cert", 1, "pub"},
        {"\"ek_pub\":\"cHVi\"", "pub", 2, ""},
        {"\"ek_cert_pem\":\"Y2VydA==\",\"ek_source\":\"pub\"", "cert", 2, ""},
        {"\"ek_cert_pem\":\"Y2VydA==\",\"ek_pub\":\"cHVi\",\"ek_source\":\"pub\"", "pub", 2, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        struct ipc_challenge_request r;
        snprintf(body, sizeof body, "{\"ak_pub\":\"YWs=\",%s}", cases[i].fields);
        assert_ok(fields_read(view_text(body), &fields));
        assert_ok(node_request_challenge(&fields, &r));
        assert_true(view_is(r.ek, cases[i].ek));
        assert_int_equal(r.ek_source, cases[i].source);
        assert_true(view_is(r.ek_public, cases[i].public_area));
        fields_clear(&fields);
    }
}

static void certificate_is_missing_when_only_a_public_key_comes_as_cert(void **state)
{
    (void)state;
    struct ipc_challenge_request r;
    assert_ok(fields_read(
        view_text("{\"ak_pub\":\"YWs=\",\"ek_pub\":\"cHVi\",\"ek_source\":\"cert\"}"), &fields));
    assert_err(node_request_challenge(&fields, &r), EK_MISSING);
    assert_string_equal(fields.fault, "ek_cert_pem");
    fields_clear(&fields);
}

static void every_prefix_of_a_body_is_refused_without_a_leak(void **state)
{
    (void)state;
    static const char body[] =
        "{" FINGERPRINT ",\"ek_cert_pem\":\"Y2V\\u0079dA==\",\"pcr_values\":{\"sha256\":{}}}";
    struct ipc_attest_request r;
    assert_ok(fields_read(view_text(body), &fields));
    assert_ok(node_request_attest(&fields, &r));
    fields_clear(&fields);
    for (size_t len = 0; len < sizeof body - 1; len++) {
        char *copy = malloc(len + 1);
        memcpy(copy, body, len);
        assert_false(IS_OK(fields_read(view_of(copy, len), &fields)));
        fields_clear(&fields);
        free(copy);
    }
}

static void base64_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"A",    "AA",   "AAA",      "AB==", "AAB=", "A===", "====",
                                      "=AAA", "AA=A", "AA==AAAA", "AA-_", "AA A", "AAA=="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char body[64];
        struct view bytes;
        snprintf(body, sizeof body, "{\"x\":\"%s\"}", bad[i]);
        assert_ok(fields_read(view_text(body), &fields));
        assert_err(field_base64(&fields, "x", 64, &bytes), BASE64_INVALID);
        fields_clear(&fields);
    }
}

static void base64_limit_is_exact(void **state)
{
    (void)state;
    struct view bytes;
    assert_ok(fields_read(view_text("{\"x\":\"AAAAAA==\"}"), &fields));
    assert_ok(field_base64(&fields, "x", 4, &bytes));
    assert_int_equal(bytes.len, 4);
    assert_err(field_base64(&fields, "x", 3, &bytes), TOO_LONG);
    fields_clear(&fields);
}

static void query_values_are_decoded(void **state)
{
    (void)state;
    char value[QUERY_VALUE_SIZE];
    assert_ok(query_get("a=1&mac=aa%3abb+c&b", "mac", value));
    assert_string_equal(value, "aa:bb+c");
    assert_ok(query_get("a=1", "mac", value));
    assert_string_equal(value, "");
    assert_ok(query_get("mac", "mac", value));
    assert_string_equal(value, "");
    assert_ok(query_get("&&=x&macc=1", "mac", value));
    assert_string_equal(value, "");
    assert_err(query_get("mac=%", "mac", value), FIELD_INVALID);
    assert_err(query_get("mac=%00", "mac", value), FIELD_INVALID);
    assert_err(query_get("mac=%ff", "mac", value), FIELD_INVALID);
}

static void accept_chooses_sealed_unless_only_yaml_is_wanted(void **state)
{
    (void)state;
    bool sealed;
    assert_ok(accept_config("", true, &sealed));
    assert_true(sealed);
    assert_ok(accept_config("application/yaml;q=1, */*;q=0.1", false, &sealed));
    assert_true(sealed);
    assert_ok(accept_config("Application/YAML; charset=utf-8", false, &sealed));
    assert_false(sealed);
    assert_err(accept_config("application/yaml", true, &sealed), NOT_ACCEPTABLE);
    assert_err(accept_config("application/yamlx", false, &sealed), NOT_ACCEPTABLE);
    assert_err(accept_config(" , ,", false, &sealed), NOT_ACCEPTABLE);
}

static void bucket_empties_and_fills(void **state)
{
    (void)state;
    AUTO(rate) rate = NULL;
    uint32_t wait = 0;
    assert_ok(rate_new(60, &rate));
    for (int i = 0; i < 60; i++) {
        assert_ok(rate_take(rate, "192.0.2.1", 1000, &wait));
    }
    assert_err(rate_take(rate, "192.0.2.1", 1000, &wait), RATE_LIMITED);
    assert_int_equal(wait, 2); /* a second and a bit, rounded up */
    assert_ok(rate_take(rate, "192.0.2.2", 1000, &wait));
    assert_ok(rate_take(rate, "192.0.2.1", 2000, &wait));
    assert_err(rate_take(rate, "192.0.2.1", 2000, &wait), RATE_LIMITED);
    for (int i = 0; i < 60; i++) {
        assert_ok(rate_take(rate, "192.0.2.1", 1000000, &wait));
    }
    assert_err(rate_take(rate, "192.0.2.1", 1000000, &wait), RATE_LIMITED);
}

static void ipv6_counts_by_its_64(void **state)
{
    (void)state;
    AUTO(rate) rate = NULL;
    uint32_t wait;
    assert_ok(rate_new(1, &rate));
    assert_ok(rate_take(rate, "2001:db8::1", 1000, &wait));
    assert_err(rate_take(rate, "2001:db8::ffff:2", 1000, &wait), RATE_LIMITED);
    assert_ok(rate_take(rate, "2001:db8:0:1::1", 1000, &wait));
    assert_ok(rate_take(rate, "::1", 1000, &wait));
}

static void no_limit_lets_everything_pass(void **state)
{
    (void)state;
    AUTO(rate) rate = NULL;
    uint32_t wait;
    assert_ok(rate_new(0, &rate));
    for (int i = 0; i < 100000; i++) {
        assert_ok(rate_take(rate, "192.0.2.1", 1, &wait));
    }
}

/* A million strangers neither grow the table nor lock out an address that asks within its limit. */
static void flood_of_addresses_does_not_lock_others_out(void **state)
{
    (void)state;
    AUTO(rate) rate = NULL;
    uint32_t wait;
    assert_ok(rate_new(10, &rate));
    for (unsigned i = 0; i < 1000000; i++) {
        char address[32];
        snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
        assert_ok(rate_take(rate, address, 1000 + i / 1000, &wait));
    }
    assert_ok(rate_take(rate, "192.0.2.1", 3000, &wait));
}

static void drain_waits_for_requests_but_not_beyond_its_deadline(void **state)
{
    (void)state;
    struct drain drain = {0};
    assert_false(drain_is_over(&drain, 5000, 0));
    assert_int_equal(drain_wait_ms(&drain), -1);
    drain_begin(&drain, 1000, 3000);
    assert_false(drain_is_over(&drain, 1000, 0));
    assert_false(drain_is_over(&drain, 2000, 1));
    assert_true(drain_is_over(&drain, 2000, 0));
    assert_true(drain_is_over(&drain, 4000, 9));
    assert_true(drain_wait_ms(&drain) > 0);
}

static void class_decides_the_status_but_for_what_the_contract_names(void **state)
{
    (void)state;
    assert_int_equal(exchange_status_of(OK), 200);
    assert_int_equal(exchange_status_of(E(FIELD_INVALID)), 422);
    assert_int_equal(exchange_status_of(E(QUOTE_SIGNATURE)), 403);
    assert_int_equal(exchange_status_of(E(MACHINE_STATE)), 409);
    assert_int_equal(exchange_status_of(E(BUSY)), 429);
    assert_int_equal(exchange_status_of(E(TOKEN_REMOVED)), 503);
    assert_int_equal(exchange_status_of(E(PEER_GONE)), 503);
    assert_int_equal(exchange_status_of(E(BUG)), 500);
    assert_int_equal(exchange_status_of(E(WIRE)), 503);
    assert_int_equal(exchange_status_of(E(AUTH_MISSING)), 401);
    assert_int_equal(exchange_status_of(E(SIGNATURE_INVALID)), 403);
    assert_int_equal(exchange_status_of(E(BASE_CONFIG_MISSING)), 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attest_fields_reach_their_place),
        cmocka_unit_test(ek_source_decides_which_material_counts),
        cmocka_unit_test(certificate_is_missing_when_only_a_public_key_comes_as_cert),
        cmocka_unit_test(every_prefix_of_a_body_is_refused_without_a_leak),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(base64_limit_is_exact),
        cmocka_unit_test(query_values_are_decoded),
        cmocka_unit_test(accept_chooses_sealed_unless_only_yaml_is_wanted),
        cmocka_unit_test(bucket_empties_and_fills),
        cmocka_unit_test(ipv6_counts_by_its_64),
        cmocka_unit_test(no_limit_lets_everything_pass),
        cmocka_unit_test(flood_of_addresses_does_not_lock_others_out),
        cmocka_unit_test(drain_waits_for_requests_but_not_beyond_its_deadline),
        cmocka_unit_test(class_decides_the_status_but_for_what_the_contract_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
