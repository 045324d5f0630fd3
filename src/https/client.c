#include "https/client.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "https/client_state.h"

AUTO_DEFINE(CURLU, CURLU, curl_url_cleanup);
AUTO_DEFINE(SSL_CTX, SSL_CTX, SSL_CTX_free);

/* -- the server's identity --------------------------------------------------------------------- */

/* Stands where OpenSSL checks the chain, so that a pin alone can take the chain's place; runs
 * inside the handshake. */
static int check_certificate(X509_STORE_CTX *store, void *arg)
{
    struct https_client *client = arg;
    client->refused = OK;
    if (client->ca_file && X509_verify_cert(store) != 1) {
        client->refused = E(TLS_UNTRUSTED);
        return 0;
    }
    if (client->pin.kind != PIN_NONE) {
        client->refused = pin_check(&client->pin, X509_STORE_CTX_get0_cert(store));
    }
    X509_STORE_CTX_set_error(store, IS_OK(client->refused) ? X509_V_OK
                                                           : X509_V_ERR_APPLICATION_VERIFICATION);
    return IS_OK(client->refused);
}

static CURLcode set_up_tls(CURL *curl, void *ssl_ctx, void *arg)
{
    (void)curl;
    SSL_CTX_set_cert_verify_callback(ssl_ctx, check_certificate, arg);
    return CURLE_OK;
}

/* libcurl would tell only at the first request, and then as a failed connection. */
static ERRFN check_ca_file(const char *path)
{
    AUTO(SSL_CTX) ctx = SSL_CTX_new(TLS_client_method());
    ENSURE(ctx, NO_MEMORY);
    ENSURE(SSL_CTX_load_verify_file(ctx, path) == 1, CONFIG_UNREADABLE);
    return OK;
}

/* -- set-up ------------------------------------------------------------------------------------ */

static ERRFN url_part(CURLU *url, CURLUPart part, char *out_text, size_t size)
{
    char *text = NULL;
    ENSURE(curl_url_get(url, part, &text, 0) == CURLUE_OK, FIELD_INVALID);
    err_t e = view_to_text(view_text(text), out_text, size);
    curl_free(text);
    ENSURE(IS_OK(e), FIELD_INVALID);
    return OK;
}

static bool url_has(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

static ERRFN parse_origin(const char *text, char out_origin[static HTTPS_ORIGIN_MAX_BYTES])
{
    static const char scheme[] = "https://";
    ENSURE(strlen(text) < HTTPS_ORIGIN_MAX_BYTES && strncasecmp(text, scheme, strlen(scheme)) == 0,
           FIELD_INVALID);
    AUTO(CURLU) url = curl_url();
    ENSURE(url, NO_MEMORY);
    ENSURE(curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK, FIELD_INVALID);
    ENSURE(!url_has(url, CURLUPART_QUERY) && !url_has(url, CURLUPART_FRAGMENT), FIELD_INVALID);
    char path[4] = "";
    TRY(url_part(url, CURLUPART_PATH, path, sizeof path));
    ENSURE(strcmp(path, "/") == 0, FIELD_INVALID);
    char whole[HTTPS_ORIGIN_MAX_BYTES + 8];
    TRY(url_part(url, CURLUPART_URL, whole, sizeof whole));
    size_t len = strlen(whole);
    if (len > 0 && whole[len - 1] == '/') {
        len--;
    }
    return view_to_text(view_of(whole, len), out_origin, HTTPS_ORIGIN_MAX_BYTES);
}

/* Not 0 breaks the request off. */
static int look_for_end(void *arg, curl_off_t expected, curl_off_t got, curl_off_t to_send,
                        curl_off_t sent)
{
    (void)expected, (void)got, (void)to_send, (void)sent;
    const struct https_client *client = arg;
    return client->ended && client->ended();
}

/* What holds for every request of the client. */
static ERRFN set_options(struct https_client *client, const struct https_server *server)
{
    CURL *curl = client->curl;
    bool by_name = client->ca_file != NULL;
    bool set =
        curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, set_up_tls) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, client) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, by_name ? 2L : 0L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                         (long)CURL_SSLVERSION_TLSv1_3 | (long)CURL_SSLVERSION_MAX_TLSv1_3) ==
            CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTPS_CONNECT_MS) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)HTTPS_TOTAL_MS) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_end) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client) == CURLE_OK &&
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
        (server->proxy_from_environment || curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK);
    ENSURE(set, BUG);
    return OK;
}

ERRFN https_client_new(const struct https_server *server, struct https_client **out_client)
{
    ENSURE(server->ca_file || server->pin, FIELD_MISSING);
    AUTO(https_client) client = calloc(1, sizeof *client);
    ENSURE(client, NO_MEMORY);
    TRY(parse_origin(server->url, client->origin));
    if (server->pin) {
        TRY(pin_parse(server->pin, &client->pin));
    }
    if (server->ca_file) {
        TRY(check_ca_file(server->ca_file));
        client->ca_file = strdup(server->ca_file);
        ENSURE(client->ca_file, NO_MEMORY);
    }
    client->ended = server->ended;
    client->curl = curl_easy_init();
    ENSURE(client->curl, NO_MEMORY);
    TRY(set_options(client, server));
    *out_client = STEAL(client);
    return OK;
}

void https_client_free(struct https_client *client)
{
    if (client) {
        curl_easy_cleanup(client->curl);
        free(client->ca_file);
        free(client);
    }
}

void https_client_see_through(struct https_client *client)
{
    client->ended = NULL;
}

const char *https_client_origin(const struct https_client *client)
{
    return client->origin;
}
