#include "cli/session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/sign.h"

enum { BODY_MAX_BYTES = 1536 * 1024 }; /* the appliance's limit for a policy; other requests are far smaller */

/* -- opening ----------------------------------------------------------------------------------- */

static ERRFN credential_path(const struct options *options, char out_path[static PATH_MAX])
{
    const char *home = getenv("HOME");
    int len =
        options->credential
            ? snprintf(out_path, PATH_MAX, "%s", options->credential)
            : snprintf(out_path, PATH_MAX, "%s/.itl/attestation-credential.json", home ? home : "");
    ENSURE(len > 0 && len < PATH_MAX, TOO_LONG);
    ENSURE(access(out_path, F_OK) == 0, NOT_LOGGED_IN);
    return OK;
}

static const char *first(const char *a, const char *b)
{
    return a ? a : b;
}

ERRFN session_open(const struct options *options, struct session *out_session)
{
    char path[PATH_MAX];
    TRY(credential_path(options, path));
    AUTO(credential) credential = NULL;
    TRY(credential_read(path, &credential));
    struct https_server server = {.url = first(options->api_url, credential->api_url),
                                  .ca_file = first(options->ca_file, credential->ca_file),
                                  .pin = first(options->pin, credential->pin)};
    ENSURE(server.url, FIELD_MISSING);
    AUTO(https_client) client = NULL;
    TRY(https_client_new(&server, &client));
    *out_session = (struct session){.credential = STEAL(credential), .client = STEAL(client)};
    return OK;
}

void session_close(struct session *session)
{
    https_client_free(session->client);
    credential_free(session->credential);
    *session = (struct session){0};
}

/* -- requests ---------------------------------------------------------------------------------- */

static ERRFN put_bearer(const struct session *session, struct buf **out_header)
{
    AUTO(buf) header = NULL;
    TRY(buf_new(64 + CREDENTIAL_TOKEN_MAX, &header));
    TRY(buf_put_text(header, "Authorization: Bearer "));
    TRY(buf_put(header, secret_view(session->credential->token)));
    TRY(buf_put_u8(header, '\0'));
    *out_header = STEAL(header);
    return OK;
}

static ERRFN exchange(struct session *session, const struct https_request *request,
                      struct https_answer *out_answer)
{
    struct https_answer answer = {0};
    TRY(https_send(session->client, request, &answer));
    err_t e = refusal_check(&answer, &session->refusal);
    if (IS_OK(e) && strcmp(answer.content_type, "application/json") != 0) {
        e = E(ANSWER_INVALID);
    }
    if (!IS_OK(e)) {
        https_answer_clear(&answer);
        return e;
    }
    *out_answer = answer;
    return OK;
}

static ERRFN get(struct session *session, const char *target, struct https_answer *out_answer)
{
    AUTO(buf) bearer = NULL;
    TRY(put_bearer(session, &bearer));
    struct https_request request = {
        .method = "GET",
        .target = target,
        .headers = {(const char *)bearer->data, "Accept: application/json"}};
    return exchange(session, &request, out_answer);
}

ERRFN session_get_object(struct session *session, const char *target, json_t **out_object)
{
    struct https_answer answer;
    TRY(get(session, target, &answer));
    err_t e = json_read(buf_view(answer.body), out_object);
    https_answer_clear(&answer);
    ENSURE(IS_OK(e), ANSWER_INVALID);
    return OK;
}

ERRFN session_get_list(struct session *session, const char *target, json_t **out_list)
{
    struct https_answer answer;
    TRY(get(session, target, &answer));
    err_t e = json_read_list(buf_view(answer.body), out_list);
    https_answer_clear(&answer);
    ENSURE(IS_OK(e), ANSWER_INVALID);
    return OK;
}

/* -- acts -------------------------------------------------------------------------------------- */

/* `headers` is NULL for a request that is not signed. */
static ERRFN send_act(struct session *session, const char *method, const char *target,
                      struct view body, const struct signed_headers *headers, json_t **out_object,
                      unsigned *out_status)
{
    AUTO(buf) bearer = NULL;
    TRY(put_bearer(session, &bearer));
    struct https_request request = {
        .method = method,
        .target = target,
        .headers = {(const char *)bearer->data, "Accept: application/json"},
        .body = body};
    if (headers) {
        request.headers[2] = (const char *)headers->digest->data;
        request.headers[3] = (const char *)headers->input->data;
        request.headers[4] = (const char *)headers->signature->data;
    }
    struct https_answer answer = {0};
    TRY(exchange(session, &request, &answer));
    *out_status = answer.status;
    err_t e = json_read(buf_view(answer.body), out_object);
    https_answer_clear(&answer);
    ENSURE(IS_OK(e), ANSWER_INVALID);
    return OK;
}

static ERRFN write_body(const json_t *body, struct buf **out_text)
{
    return body ? json_write(body, 0, BODY_MAX_BYTES, out_text) : buf_new(0, out_text);
}

ERRFN session_take_away(struct session *session, const char *target, const json_t *body,
                        json_t **out_object)
{
    AUTO(buf) text = NULL;
    unsigned status;
    TRY(write_body(body, &text));
    return send_act(session, "POST", target, buf_view(text), NULL, out_object, &status);
}

ERRFN session_grant(struct session *session, const char *method, const char *target,
                    const json_t *body, unsigned *out_status, json_t **out_object)
{
    AUTO(buf) text = NULL;
    TRY(write_body(body, &text));
    struct signed_headers headers = {0};
    err_t e =
        signed_headers_make(session->credential->key, method, target, buf_view(text), &headers);
    e = IS_OK(e)
            ? send_act(session, method, target, buf_view(text), &headers, out_object, out_status)
            : e;
    signed_headers_clear(&headers);
    return e;
}
