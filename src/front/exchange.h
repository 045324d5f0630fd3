/* One request and its answer, free of the HTTP library. http.c fills the upper part, a handler
 * the lower. */
#ifndef ITL_FRONT_EXCHANGE_H
#define ITL_FRONT_EXCHANGE_H

#include "front/fields.h"
#include "front/front.h"
#include "ipc/client.h"

enum {
    SUBJECT_SIZE = 129,      /* as long as a refusal's subject, and a NUL */
    API_DEADLINE_MS = 15000, /* a batch in the signer and a slow token; a node then tries again */
    ANSWER_MAX_BYTES =
        2 * 1024 * 1024 /* a sealed configuration of 1 MiB in base64, and its frame */
};

struct route;

struct exchange {
    struct front *front;
    const struct route *route; /* NULL when no path matched */
    char request_id[33];

    const char *method;
    const char *path;   /* as sent, without the query; never decoded */
    const char *query;  /* as sent, "" when there is none */
    const char *target; /* path and query as sent: what an operator signed */
    const char *source_ip;
    struct view argument; /* what stands for {…} in the route's path */
    struct view body;
    struct view handshake; /* of a client that showed a certificate, for the signer; else empty */

    /* Headers of meaning here; "" when absent. */
    const char *accept;
    const char *authorization;
    const char *content_type;
    const char *content_digest;
    const char *signature;
    const char *signature_input;
    const char *if_none_match;

    /* The answer. */
    int status;
    const char *answer_type;
    struct buf *answer;
    struct view fixed_answer; /* in place of `answer`: bytes that outlive the exchange */
    const char *allow;        /* of a 405, or NULL */
    char next_after[40];      /* where a list goes on, or "" */
    char etag[68];            /* with its quotes, or "": then nothing may be kept by caches */

    /* Of a refusal. */
    err_t refused;
    bool by_signer;    /* the refusal, or the failure to get an answer, is the signer's */
    const char *place; /* "body" or "query": where the field at fault was */
    char subject[SUBJECT_SIZE];
    uint32_t retry_after_s;
};

/* The body as fields; 20 KiB, so on the heap. Errors: those of fields_read, NO_MEMORY. */
ERRFN exchange_fields(struct exchange *x, struct fields **out_fields);

/* Names the field at fault and returns `why`, so that a handler can return it. */
ERRFN exchange_fault(struct exchange *x, err_t why, const char *place, const char *field);

/* The same with what the signer said of its refusal. */
ERRFN exchange_refused(struct exchange *x, err_t why, const struct ipc_refusal *refusal);

/* Turns what the handler did so far into the answer for an error: {"detail","reason"}, and for
 * what does not fit the endpoint's schema `detail` as an array of {loc,msg,type}. */
void exchange_refuse(struct exchange *x, err_t why);

/* The HTTP status of an error: its class decides, but for a few that the contract names. */
int exchange_status_of(err_t why);

void exchange_clear(struct exchange *x);

#endif
