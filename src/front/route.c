#include "front/route.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"

static const struct route routes[] = {
    {"GET", "/healthz", ROUTE_STATUS, 0, handle_health},
    {"GET", "/health", ROUTE_STATUS, 0, handle_health},
    {"GET", "/readyz", ROUTE_NODE, 0, handle_ready},
    {"GET", "/api/v1/openapi.json", ROUTE_STATUS, 0, handle_openapi},
    {"POST", "/api/v1/self-register", ROUTE_NODE, BODY_MAX_NODE, handle_register},
    {"POST", "/api/v1/register", ROUTE_NODE, BODY_MAX_NODE, handle_register},
    {"GET", "/api/v1/attest/challenge", ROUTE_NODE, 0, handle_nonce},
    {"POST", "/api/v1/attest/challenge", ROUTE_NODE, BODY_MAX_NODE, handle_challenge},
    {"POST", "/api/v1/attest", ROUTE_NODE, BODY_MAX_ATTEST, handle_attest},
    {"GET", "/api/v1/config", ROUTE_NODE, 0, handle_config_pending},
    {"GET", "/api/v1/config/{token}", ROUTE_NODE, 0, handle_config},
    {"GET", "/api/v1/machines", ROUTE_OPERATOR, 0, handle_machine_list},
    {"GET", "/api/v1/machines/self", ROUTE_NODE, 0, handle_machine_self},
    {"GET", "/api/v1/machines/{machine_id}", ROUTE_OPERATOR, 0, handle_machine_get},
    {"POST", "/api/v1/machines/{machine_id}/approve", ROUTE_OPERATOR, IPC_BODY_MAX,
     handle_machine_approve},
    {"GET", "/api/v1/machines/{machine_id}/evidence", ROUTE_OPERATOR, 0, handle_machine_evidence},
    {"GET", "/api/v1/machines/{machine_id}/evidence/latest", ROUTE_OPERATOR, 0,
     handle_machine_export},
    {"GET", "/api/v1/machines/{machine_id}/explain", ROUTE_OPERATOR, 0, handle_machine_explain},
    {"GET", "/api/v1/machines/{machine_id}/baseline", ROUTE_OPERATOR, 0, handle_machine_capture},
    {"GET", "/api/v1/policies/{number}/simulate", ROUTE_OPERATOR, 0, handle_policy_simulate},
    {"GET", "/api/v1/policies", ROUTE_OPERATOR, 0, handle_policy_list},
    {"POST", "/api/v1/policies", ROUTE_OPERATOR, IPC_POLICY_BODY_MAX, handle_policy_push},
    {"GET", "/api/v1/policies/{number}", ROUTE_OPERATOR, 0, handle_policy_get},
    {"POST", "/api/v1/policies/{number}/activate", ROUTE_OPERATOR, IPC_BODY_MAX,
     handle_policy_activate},
    {"POST", "/api/v1/machines/enroll", ROUTE_NODE, BODY_MAX_NODE, handle_enroll},
    {"POST", "/api/v1/machines/{machine_id}/request-cert", ROUTE_NODE, BODY_MAX_NODE,
     handle_request_cert},
    {"POST", "/api/v1/machines/{machine_id}/ak-activate", ROUTE_NODE, BODY_MAX_NODE,
     handle_ak_activate},
    {"GET", "/pki/enrollment-ca.pem", ROUTE_NODE, 0, handle_pki_ca},
    {"GET", "/pki/enrollment-ca.crl", ROUTE_NODE, 0, handle_pki_crl},
    {"GET", "/pki/bundle.json", ROUTE_NODE, 0, handle_pki_bundle},
    {"GET", "/api/v1/certificates", ROUTE_OPERATOR, 0, handle_certificate_list},
    {"POST", "/api/v1/certificates/{serial}/revoke", ROUTE_ACT, IPC_BODY_MAX,
     handle_certificate_revoke},
    {"DELETE", "/api/v1/machines/{machine_id}", ROUTE_OPERATOR, 0, handle_machine_delete},
    {"POST", "/api/v1/machines/{machine_id}/lock", ROUTE_ACT, IPC_BODY_MAX, handle_machine_lock},
    {"POST", "/api/v1/machines/{machine_id}/unlock", ROUTE_ACT, IPC_BODY_MAX,
     handle_machine_unlock},
    {"POST", "/api/v1/machines/{machine_id}/revoke", ROUTE_ACT, IPC_BODY_MAX,
     handle_machine_revoke},
    {"POST", "/api/v1/machines/{machine_id}/reject", ROUTE_ACT, IPC_BODY_MAX,
     handle_machine_reject},
    {"POST", "/api/v1/machines/{machine_id}/wipe-ack", ROUTE_ACT, IPC_BODY_MAX,
     handle_machine_wipe_ack},
};

enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

const struct route *route_table(size_t *out_count)
{
    *out_count = ROUTE_COUNT;
    return routes;
}

/* One segment of letters, digits, '-' and '_': ids and tokens have nothing else, so nothing is
 * ever decoded. */
static size_t segment_length(const char *path)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t len = strspn(path, allowed);
    return len <= PATH_ARGUMENT_MAX ? len : 0;
}

static bool path_matches(const char *pattern, const char *path, struct view *out_argument)
{
    const char *hole = strchr(pattern, '{');
    if (!hole) {
        return strcmp(pattern, path) == 0;
    }
    size_t before = (size_t)(hole - pattern);
    if (strncmp(pattern, path, before) != 0) {
        return false;
    }
    size_t len = segment_length(path + before);
    if (len == 0 || strcmp(strchr(hole, '}') + 1, path + before + len) != 0) {
        return false;
    }
    *out_argument = view_of(path + before, len);
    return true;
}

enum method_bit { METHOD_GET = 1, METHOD_POST = 2, METHOD_DELETE = 4 };

static unsigned method_bit(const char *method)
{
    return strcmp(method, "GET") == 0    ? METHOD_GET
           : strcmp(method, "POST") == 0 ? METHOD_POST
                                         : METHOD_DELETE;
}

/* The methods of a path that exists, by their bits. */
static const char *allowed_methods(unsigned methods)
{
    static const char *const texts[] = {
        "",       "GET",         "POST",         "GET, POST",
        "DELETE", "GET, DELETE", "POST, DELETE", "GET, POST, DELETE",
    };
    return texts[methods];
}

ERRFN route_find(struct exchange *x)
{
    unsigned methods = 0;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!path_matches(routes[i].path, x->path, &x->argument)) {
            continue;
        }
        if (strcmp(routes[i].method, x->method) == 0) {
            x->route = &routes[i];
            return OK;
        }
        methods |= method_bit(routes[i].method);
    }
    ENSURE(methods != 0, NOT_FOUND);
    x->allow = allowed_methods(methods);
    return E(METHOD);
}

/* application/json, with or without parameters (RFC 8259 defines none; clients add
 * charset=utf-8). */
static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;
    return strncasecmp(content_type, json, len) == 0 && strchr("; \t", content_type[len]) != NULL;
}

ERRFN route_admit(struct exchange *x, int64_t length)
{
    if (x->route->kind != ROUTE_STATUS) {
        TRY(rate_take(x->front->rate, x->source_ip, clock_monotonic_ms(), &x->retry_after_s));
    }
    if (x->route->body_max == 0) {
        ENSURE(length <= 0, BAD_REQUEST);
        return OK;
    }
    if (x->route->kind == ROUTE_ACT && length <= 0) {
        return OK;
    }
    ENSURE(length >= 0, LENGTH_REQUIRED);
    ENSURE((uint64_t)length <= x->route->body_max, BODY_TOO_LARGE);
    ENSURE(is_json(x->content_type), MEDIA_TYPE);
    return OK;
}

void route_serve(struct exchange *x)
{
    x->status = 200;
    x->answer_type = "application/json";
    err_t handled = x->route->handle(x);
    if (!IS_OK(handled)) {
        exchange_refuse(x, handled);
    }
}
