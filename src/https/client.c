#include "https/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "https/pin.h"

struct https_client {
    CURL *curl;
    char origin[HTTPS_ORIGIN_MAX_BYTES];
    char *ca_file;
    struct pin pin;
    err_t refused; /* why the certificate was refused during the last handshake */
};

typedef struct curl_slist curl_slist;
AUTO_DEFINE(curl_slist, curl_slist, curl_slist_free_all);
AUTO_DEFINE(CURLU, CURLU, curl_url_cleanup);
AUTO_DEFINE(SSL_CTX, SSL_CTX, SSL_CTX_free);

/* -- the server's identity -------------------------------------------------------------------------------------- */

/* Stands where OpenSSL checks the chain, so that a pin alone can take the chain's place; runs inside the handshake. */
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
    X509_STORE_CTX_set_error(store, IS_OK(client->refused) ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
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

/* -- set-up ------------------------------------------------------------------------------------------------------ */

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
    ENSURE(strlen(text) < HTTPS_ORIGIN_MAX_BYTES && strncasecmp(text, scheme, strlen(scheme)) == 0, FIELD_INVALID);
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

/* What holds for every request of the client. */
static ERRFN set_options(struct https_client *client, const struct https_server *server)
{
    CURL *curl = client->curl;
    bool by_name = client->ca_file != NULL;
    bool set = curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, set_up_tls) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, client) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, by_name ? 2L : 0L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                                (long)CURL_SSLVERSION_TLSv1_3 | (long)CURL_SSLVERSION_MAX_TLSv1_3) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTPS_CONNECT_MS) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)HTTPS_TOTAL_MS) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
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

const char *https_client_origin(const struct https_client *client)
{
    return client->origin;
}

/* -- one request ------------------------------------------------------------------------------------------------- */

/* A line end in a target or header would start another header. */
static bool is_printable(const char *text, size_t max)
{
    size_t len = strnlen(text, max + 1);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] >= 0x7f) {
            return false;
        }
    }
    return len > 0 && len <= max;
}

static ERRFN append_header(curl_slist **list, const char *header)
{
    ENSURE(is_printable(header, HTTPS_HEADER_MAX_BYTES), FIELD_INVALID);
    curl_slist *longer = curl_slist_append(*list, header);
    ENSURE(longer, NO_MEMORY);
    *list = longer;
    return OK;
}

static ERRFN make_headers(const struct https_request *request, curl_slist **out_list)
{
    AUTO(curl_slist) list = NULL;
    TRY(append_header(&list, "Expect:")); /* no 100-continue */
    if (request->body.len > 0) {
        TRY(append_header(&list, "Content-Type: application/json"));
    }
    for (size_t i = 0; i < HTTPS_HEADERS_MAX && request->headers[i]; i++) {
        TRY(append_header(&list, request->headers[i]));
    }
    *out_list = STEAL(list);
    return OK;
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
    struct buf *body = arg;
    size_t len = size * count; /* size is always 1 */
    return IS_OK(buf_put(body, view_of(data, len))) ? len : 0;
}

/* The one place where libcurl's codes become err_t. */
static err_t err_from_curl(const struct https_client *client, CURLcode code)
{
    if (!IS_OK(client->refused)) {
        return client->refused;
    }
    switch (code) {
    case CURLE_OK:
        return OK;
    case CURLE_PEER_FAILED_VERIFICATION:
        return E(TLS_UNTRUSTED); /* the chain held, the name did not */
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return E(TLS_CONNECT);
    case CURLE_OPERATION_TIMEDOUT:
        return E(TIMEOUT);
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
        return E(TOO_LONG);
    case CURLE_OUT_OF_MEMORY:
        return E(NO_MEMORY);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return E(ANSWER_INVALID);
    default:
        return E(PEER_GONE);
    }
}

static void read_content_type(CURL *curl, struct https_answer *answer)
{
    char *text = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &text) != CURLE_OK || !text) {
        return;
    }
    size_t len = strcspn(text, "; \t");
    if (len >= sizeof answer->content_type) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        answer->content_type[i] = (char)tolower((unsigned char)text[i]);
    }
    answer->content_type[len] = '\0';
}

static ERRFN read_answer(CURL *curl, struct https_answer *out_answer)
{
    long status = 0;
    curl_off_t retry_after = 0;
    ENSURE(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK, BUG);
    ENSURE(curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK, BUG);
    ENSURE(status >= 200 && status <= 599 && status / 100 != 3, ANSWER_INVALID);
    out_answer->status = (unsigned)status;
    out_answer->retry_after_s = retry_after > 0 && retry_after <= 86400 ? (uint32_t)retry_after : 0;
    read_content_type(curl, out_answer);
    return OK;
}

static ERRFN set_request(struct https_client *client, const struct https_request *request, const char *url,
                         curl_slist *headers, struct buf *body)
{
    CURL *curl = client->curl;
    bool set = curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    if (set && request->body.len > 0) {
        set = curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len) == CURLE_OK;
    }
    set = set && curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
    ENSURE(set, BUG);
    return OK;
}

ERRFN https_send(struct https_client *client, const struct https_request *request, struct https_answer *out_answer)
{
    ENSURE(request->target[0] == '/' && is_printable(request->target, HTTPS_TARGET_MAX_BYTES) &&
               !strchr(request->target, '#') && !strchr(request->target, ' '),
           FIELD_INVALID);
    char url[HTTPS_ORIGIN_MAX_BYTES + HTTPS_TARGET_MAX_BYTES];
    snprintf(url, sizeof url, "%s%s", client->origin, request->target);
    AUTO(curl_slist) headers = NULL;
    TRY(make_headers(request, &headers));
    AUTO(buf) body = NULL;
    TRY(buf_new(HTTPS_ANSWER_MAX_BYTES, &body));
    TRY(set_request(client, request, url, headers, body));

    client->refused = OK;
    CURLcode code = curl_easy_perform(client->curl);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    TRY(err_from_curl(client, code));
    struct https_answer answer = {0};
    TRY(read_answer(client->curl, &answer));
    answer.body = STEAL(body);
    *out_answer = answer;
    return OK;
}
