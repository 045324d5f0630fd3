#include "https/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "https/refusal.h"
#include "tests/https/server.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#define ASSERT_OK(expr)   assert_int_equal((expr).code, 0)
#define ASSERT_E(expr, e) assert_int_equal((expr).code, ERR_CODE_##e)

static struct server server;
static char key_pin[64];
static char certificate_pin[80];
static char certificate_pin_colons[112];

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(certificate);
    return certificate;
}

static void make_pins(const char *path)
{
    X509 *certificate = read_certificate(path);
    uint8_t digest[32];
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    ASSERT_OK(sha256(view_of(der, (size_t)len), digest));
    OPENSSL_free(der);
    hex_encode(view_of(digest, 32), certificate_pin);
    for (size_t i = 0; i < 32; i++) {
        snprintf(certificate_pin_colons + 3 * i, 4, "%02X%s", digest[i], i < 31 ? ":" : "");
    }
    der = NULL;
    len = i2d_PUBKEY(X509_get0_pubkey(certificate), &der);
    ASSERT_OK(sha256(view_of(der, (size_t)len), digest));
    OPENSSL_free(der);
    AUTO(buf) text = NULL;
    ASSERT_OK(buf_new(64, &text));
    ASSERT_OK(buf_put_base64(text, view_of(digest, 32)));
    snprintf(key_pin, sizeof key_pin, "sha256//%.*s", (int)text->len, (const char *)text->data);
    X509_free(certificate);
}

static int start(void **state)
{
    (void)state;
    server_start(ITL_SOURCE_DIR "/tests/https/tls_server.py", "", &server);
    make_pins(server_file(&server, "self.pem"));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    server_stop(&server);
    return 0;
}

static err_t request(const char *url, const char *ca, const char *pin, const char *method,
                     const char *target, const char *body, struct https_answer *out_answer)
{
    AUTO(https_client) client = NULL;
    struct https_server with = {.url = url, .ca_file = ca, .pin = pin};
    TRY(https_client_new(&with, &client));
    struct https_request r = {.method = method, .target = target, .body = view_text(body)};
    return https_send(client, &r, out_answer);
}

static err_t get(const char *ca, const char *pin, const char *target)
{
    struct https_answer answer = {0};
    err_t e = request(server.url, ca, pin, "GET", target, "", &answer);
    https_answer_clear(&answer);
    return e;
}

static const char *self_pem(void)
{
    return server_file(&server, "self.pem");
}

static void server_with_its_own_certificate_as_ca_is_reached(void **state)
{
    (void)state;
    struct https_answer answer = {0};
    ASSERT_OK(request(server.url, self_pem(), NULL, "POST", "/echo", "{\"a\":1}", &answer));
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, "application/json");
    assert_true(view_is(buf_view(answer.body), "{\"a\":1}"));
    https_answer_clear(&answer);
}

static void server_with_pinned_key_is_reached(void **state)
{
    (void)state;
    ASSERT_OK(get(NULL, key_pin, "/echo"));
}

static void server_with_pinned_certificate_is_reached(void **state)
{
    (void)state;
    ASSERT_OK(get(NULL, certificate_pin, "/echo"));
    ASSERT_OK(get(NULL, certificate_pin_colons, "/echo"));
}

static void server_with_ca_and_pin_is_reached(void **state)
{
    (void)state;
    ASSERT_OK(get(self_pem(), key_pin, "/echo"));
}

static void server_with_another_pin_gets_no_request(void **state)
{
    (void)state;
    key_pin[10] = key_pin[10] == 'A' ? 'B' : 'A';
    certificate_pin[5] = certificate_pin[5] == '0' ? '1' : '0';
    ASSERT_E(get(NULL, key_pin, "/never-key"), TLS_PIN);
    ASSERT_E(get(NULL, certificate_pin, "/never-certificate"), TLS_PIN);
    ASSERT_E(get(self_pem(), key_pin, "/never-both"), TLS_PIN);
    make_pins(self_pem());
    assert_int_equal(server_requests(&server, "GET /never"), 0);
    ASSERT_OK(get(NULL, key_pin, "/always"));
    assert_int_equal(server_requests(&server, "GET /always"), 1);
}

static void server_under_another_ca_gets_no_request(void **state)
{
    (void)state;
    ASSERT_E(get(server_file(&server, "other.pem"), NULL, "/never-ca"), TLS_UNTRUSTED);
    ASSERT_E(get(server_file(&server, "other.pem"), key_pin, "/never-ca"), TLS_UNTRUSTED);
    assert_int_equal(server_requests(&server, "GET /never-ca"), 0);
}

static void certificate_of_another_host_is_refused_unless_pinned(void **state)
{
    (void)state;
    struct server named;
    server_start(ITL_SOURCE_DIR "/tests/https/tls_server.py", "--named", &named);
    struct https_answer answer = {0};
    const char *ca = server_file(&named, "named.pem");
    ASSERT_E(request(named.url, ca, NULL, "GET", "/never", "", &answer), TLS_UNTRUSTED);
    assert_int_equal(server_requests(&named, "GET /never"), 0);
    make_pins(ca);
    ASSERT_OK(request(named.url, NULL, key_pin, "GET", "/echo", "", &answer));
    https_answer_clear(&answer);
    make_pins(self_pem());
    server_stop(&named);
}

static void server_without_tls_1_3_is_refused(void **state)
{
    (void)state;
    struct server old;
    server_start(ITL_SOURCE_DIR "/tests/https/tls_server.py", "--tls1.2", &old);
    struct https_answer answer = {0};
    ASSERT_E(request(old.url, server_file(&old, "self.pem"), NULL, "GET", "/echo", "", &answer),
             TLS_CONNECT);
    server_stop(&old);
}

static void client_without_ca_or_pin_is_refused(void **state)
{
    (void)state;
    ASSERT_E(get(NULL, NULL, "/echo"), FIELD_MISSING);
}

static void ca_file_without_certificates_is_refused(void **state)
{
    (void)state;
    ASSERT_E(get(server_file(&server, "self.key"), NULL, "/echo"), CONFIG_UNREADABLE);
    ASSERT_E(get(server_file(&server, "absent.pem"), NULL, "/echo"), CONFIG_UNREADABLE);
}

static void url_that_is_not_an_https_origin_is_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://localhost",
                                       "localhost",
                                       "https://",
                                       "https://user:password@localhost",
                                       "https://localhost/path",
                                       "https://localhost?query",
                                       "https://localhost#fragment",
                                       "ftp://localhost",
                                       "file:///etc/passwd",
                                       ""};
    struct https_answer answer = {0};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        ASSERT_E(request(urls[i], self_pem(), NULL, "GET", "/echo", "", &answer), FIELD_INVALID);
    }
}

static void origin_is_without_a_trailing_slash(void **state)
{
    (void)state;
    AUTO(https_client) client = NULL;
    struct https_server with = {.url = "https://appliance.example:8443/", .pin = key_pin};
    ASSERT_OK(https_client_new(&with, &client));
    assert_string_equal(https_client_origin(client), "https://appliance.example:8443");
}

static void target_or_header_with_a_line_end_is_refused(void **state)
{
    (void)state;
    ASSERT_E(get(NULL, key_pin, "/echo\r\nX: y"), FIELD_INVALID);
    ASSERT_E(get(NULL, key_pin, "/echo HTTP/1.0"), FIELD_INVALID);
    ASSERT_E(get(NULL, key_pin, "echo"), FIELD_INVALID);
    AUTO(https_client) client = NULL;
    struct https_server with = {.url = server.url, .pin = key_pin};
    ASSERT_OK(https_client_new(&with, &client));
    struct https_request r = {
        .method = "GET", .target = "/header", .headers = {"X-Test: a\nX-Other: b"}};
    struct https_answer answer = {0};
    ASSERT_E(https_send(client, &r, &answer), FIELD_INVALID);
}

static void headers_arrive_and_media_type_is_read_without_parameters(void **state)
{
    (void)state;
    AUTO(https_client) client = NULL;
    struct https_server with = {.url = server.url, .pin = key_pin};
    ASSERT_OK(https_client_new(&with, &client));
    struct https_request r = {.method = "GET", .target = "/header", .headers = {"X-Test: hello"}};
    struct https_answer answer = {0};
    ASSERT_OK(https_send(client, &r, &answer));
    assert_true(view_is(buf_view(answer.body), "hello"));
    assert_string_equal(answer.content_type, "text/plain");
    https_answer_clear(&answer);
}

static void redirect_is_not_followed(void **state)
{
    (void)state;
    unsigned before = server_requests(&server, "GET /echo");
    ASSERT_E(get(NULL, key_pin, "/redirect"), ANSWER_INVALID);
    assert_int_equal(server_requests(&server, "GET /echo"), before);
}

static void oversized_answers_are_refused(void **state)
{
    (void)state;
    ASSERT_E(get(NULL, key_pin, "/big"), TOO_LONG);
    ASSERT_E(get(NULL, key_pin, "/endless"), TOO_LONG);
}

static void answer_that_breaks_off_is_an_error(void **state)
{
    (void)state;
    ASSERT_E(get(NULL, key_pin, "/cut"), PEER_GONE);
    ASSERT_E(get(NULL, key_pin, "/gone"), PEER_GONE);
}

static void nobody_listening_is_an_error(void **state)
{
    (void)state;
    struct https_answer answer = {0};
    ASSERT_E(request("https://127.0.0.1:1", NULL, key_pin, "GET", "/echo", "", &answer),
             TLS_CONNECT);
}

static void refusal_says_reason_and_when_to_come_back(void **state)
{
    (void)state;
    struct https_answer answer = {0};
    struct refusal refusal = {0};
    ASSERT_OK(request(server.url, NULL, key_pin, "GET", "/limited", "", &answer));
    ASSERT_E(refusal_check(&answer, &refusal), REFUSED);
    assert_int_equal(refusal.status, 429);
    assert_int_equal(refusal.retry_after_s, 17);
    assert_string_equal(refusal.reason, "rate_limited");
    assert_string_equal(refusal.detail, "Too many.");
    https_answer_clear(&answer);
}

static void connection_is_kept_between_requests(void **state)
{
    (void)state;
    AUTO(https_client) client = NULL;
    struct https_server with = {.url = server.url, .pin = key_pin};
    ASSERT_OK(https_client_new(&with, &client));
    for (int i = 0; i < 5; i++) {
        struct https_request r = {.method = i % 2 ? "POST" : "GET",
                                  .target = "/kept",
                                  .body = view_text(i % 2 ? "{}" : "")};
        struct https_answer answer = {0};
        ASSERT_OK(https_send(client, &r, &answer));
        https_answer_clear(&answer);
    }
    char get_line[64] = "";
    char post_line[64] = "";
    FILE *log = fopen(server_file(&server, "requests"), "r");
    assert_non_null(log);
    char line[256];
    while (fgets(line, sizeof line, log)) {
        if (strncmp(line, "GET /kept ", 10) == 0) {
            snprintf(get_line, sizeof get_line, "%.40s", line + 10);
        } else if (strncmp(line, "POST /kept ", 11) == 0) {
            snprintf(post_line, sizeof post_line, "%.40s", line + 11);
        }
    }
    fclose(log);
    assert_true(get_line[0] != '\0');
    assert_string_equal(get_line, post_line); /* the client's port */
}

static bool is_over;

static bool over(void)
{
    return is_over;
}

static void request_is_broken_off_when_its_caller_ends_unless_it_is_to_be_seen_through(void **state)
{
    (void)state;
    AUTO(https_client) client = NULL;
    struct https_server with = {.url = server.url, .pin = key_pin, .ended = over};
    struct https_request r = {.method = "GET", .target = "/echo"};
    struct https_answer answer = {0};
    ASSERT_OK(https_client_new(&with, &client));
    ASSERT_OK(https_send(client, &r, &answer));
    https_answer_clear(&answer);
    is_over = true;
    ASSERT_E(https_send(client, &r, &answer), ENDED);
    https_client_see_through(client);
    ASSERT_OK(https_send(client, &r, &answer));
    https_answer_clear(&answer);
}

static void proxy_of_the_environment_is_ignored_unless_asked_for(void **state)
{
    (void)state;
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    err_t e = get(NULL, key_pin, "/echo");
    AUTO(https_client) client = NULL;
    struct https_server with = {.url = server.url, .pin = key_pin, .proxy_from_environment = true};
    ASSERT_OK(https_client_new(&with, &client));
    struct https_request r = {.method = "GET", .target = "/echo"};
    struct https_answer answer = {0};
    err_t through_proxy = https_send(client, &r, &answer);
    unsetenv("https_proxy");
    ASSERT_OK(e);
    ASSERT_E(through_proxy, TLS_CONNECT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_with_its_own_certificate_as_ca_is_reached),
        cmocka_unit_test(server_with_pinned_key_is_reached),
        cmocka_unit_test(server_with_pinned_certificate_is_reached),
        cmocka_unit_test(server_with_ca_and_pin_is_reached),
        cmocka_unit_test(server_with_another_pin_gets_no_request),
        cmocka_unit_test(server_under_another_ca_gets_no_request),
        cmocka_unit_test(certificate_of_another_host_is_refused_unless_pinned),
        cmocka_unit_test(server_without_tls_1_3_is_refused),
        cmocka_unit_test(client_without_ca_or_pin_is_refused),
        cmocka_unit_test(ca_file_without_certificates_is_refused),
        cmocka_unit_test(url_that_is_not_an_https_origin_is_refused),
        cmocka_unit_test(origin_is_without_a_trailing_slash),
        cmocka_unit_test(target_or_header_with_a_line_end_is_refused),
        cmocka_unit_test(headers_arrive_and_media_type_is_read_without_parameters),
        cmocka_unit_test(redirect_is_not_followed),
        cmocka_unit_test(oversized_answers_are_refused),
        cmocka_unit_test(answer_that_breaks_off_is_an_error),
        cmocka_unit_test(nobody_listening_is_an_error),
        cmocka_unit_test(refusal_says_reason_and_when_to_come_back),
        cmocka_unit_test(connection_is_kept_between_requests),
        cmocka_unit_test(
            request_is_broken_off_when_its_caller_ends_unless_it_is_to_be_seen_through),
        cmocka_unit_test(proxy_of_the_environment_is_ignored_unless_asked_for),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
