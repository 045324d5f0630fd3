#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "https/client_state.h"

typedef struct curl_slist curl_slist;
AUTO_DEFINE(curl_slist, curl_slist, curl_slist_free_all);

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
    case CURLE_ABORTED_BY_CALLBACK:
        return E(ENDED);
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

static ERRFN set_request(struct https_client *client, const struct https_request *request,
                         const char *url, curl_slist *headers, struct buf *body)
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
              curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len) ==
                  CURLE_OK;
    }
    set = set && curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
    ENSURE(set, BUG);
    return OK;
}

ERRFN https_send(struct https_client *client, const struct https_request *request,
                 struct https_answer *out_answer)
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
