/* HTTPS requests to one server whose identity is always checked: libcurl behind this one file.
 * TLS 1.3 only, no redirects, no proxy unless asked for, everything bounded. A client keeps its
 * connection between requests. Not for use by two threads at once. */
#ifndef ITL_HTTPS_CLIENT_H
#define ITL_HTTPS_CLIENT_H

#include "base/bytes.h"

enum {
    HTTPS_CONNECT_MS = 5000,
    HTTPS_TOTAL_MS = 30000,
    HTTPS_ANSWER_MAX_BYTES = 2 << 20, /* a sealed configuration of 1 MiB is 1.4 MiB of JSON */
    HTTPS_HEADERS_MAX = 8,
    HTTPS_HEADER_MAX_BYTES = 1024,
    HTTPS_TARGET_MAX_BYTES = 512,
    HTTPS_ORIGIN_MAX_BYTES = 280 /* "https://", a host name of 253 characters, ":65535" */
};

/* At least one of ca_file and pin is given, both are checked when both are. There is no way to
 * check neither. */
struct https_server {
    const char *url; /* https://host or https://host:port; a trailing slash is allowed, nothing else
                        behind it */
    const char *ca_file; /* PEM: a CA, or the server's own self-signed certificate. The
                            certificate's name must be the host. NULL for none */
    const char
        *pin; /* as pin_parse; replaces chain and name when there is no ca_file. NULL for none */
    bool (*ended)(void);         /* asked about once a second while a request waits, NULL for
                                    nobody: true breaks it off */
    bool proxy_from_environment; /* honour https_proxy and no_proxy; TLS goes through it end to end
                                  */
};

struct https_client;

/* Does not connect yet. Errors: FIELD_MISSING for neither ca_file nor pin, FIELD_INVALID for a url
 * or pin that is not one, CONFIG_UNREADABLE for a ca_file without certificates, NO_MEMORY, BUG for
 * a libcurl built without OpenSSL. */
ERRFN https_client_new(const struct https_server *server, struct https_client **out_client);
void https_client_free(struct https_client *client);
AUTO_DEFINE(https_client, struct https_client, https_client_free);

/* From now on `ended` is not asked any more: for a last word that must arrive. */
void https_client_see_through(struct https_client *client);

/* "https://host:port" without a trailing slash; lives as long as the client. */
const char *https_client_origin(const struct https_client *client);

struct https_request {
    const char *method;                     /* "GET", "POST", … */
    const char *target;                     /* path, and query where there is one, on this server */
    const char *headers[HTTPS_HEADERS_MAX]; /* "Name: value", NULL for none */
    struct view body;                       /* JSON, or empty */
};

struct https_answer {
    unsigned status;
    char content_type[80];  /* lower case, without parameters; "" when there is none or it is longer
                             */
    uint32_t retry_after_s; /* 0 when the server did not say */
    struct buf *body;       /* owned by whoever declared the answer */
};
static inline void https_answer_clear(struct https_answer *answer)
{
    buf_free(answer->body);
    *answer = (struct https_answer){0};
}

/* Blocks for at most HTTPS_TOTAL_MS. Any status but a redirect is success here. Errors: TLS_PIN
 * when the server is not the pinned one, TLS_UNTRUSTED when the CA file does not vouch for it (no
 * byte of the request has been sent in both cases), TLS_CONNECT, TIMEOUT, PEER_GONE when the
 * connection broke later, ENDED when the server's `ended` said so, TOO_LONG, ANSWER_INVALID for a
 * redirect or what is not HTTP, FIELD_INVALID for a request that is not one. */
ERRFN https_send(struct https_client *client, const struct https_request *request,
                 struct https_answer *out_answer);

#endif
