/* Which handler answers which method and path, and what a request must be before a handler sees
 * it. */
#ifndef ITL_FRONT_ROUTE_H
#define ITL_FRONT_ROUTE_H

#include "front/exchange.h"

enum {
    BODY_MAX_ATTEST = 2 * 1024 * 1024, /* an event log of 512 KiB is 700 KiB in base64; UEFI logs
                                          with many option ROMs come close */
    BODY_MAX_NODE = 64 * 1024, /* an EK certificate with its CAs, 24 KiB, and hardware names */
    PATH_ARGUMENT_MAX = 128
};

enum route_kind {
    ROUTE_NONE = 0,
    ROUTE_STATUS,   /* answered here, not limited in rate */
    ROUTE_NODE,     /* unknown fields are ignored */
    ROUTE_OPERATOR, /* authenticated by the signer, which also reads the body */
    ROUTE_ACT       /* the same, with a body that may be left out */
};

struct route {
    const char *method;
    const char *path; /* {…} stands for one segment */
    enum route_kind kind;
    size_t body_max; /* 0: takes no body */
    ERRFN (*handle)(struct exchange *x);
};

/* The whole table, for the tests that compare it with openapi.json. */
const struct route *route_table(size_t *out_count);

/* Finds x->route by x->method and x->path, and x->argument. Errors: NOT_FOUND; METHOD, with
 * x->allow set. */
ERRFN route_find(struct exchange *x);

/* Whether the address may ask now, and whether the body that is announced may be read: `length`
 * is -1 when none is given. Errors: RATE_LIMITED, LENGTH_REQUIRED, BODY_TOO_LARGE, MEDIA_TYPE,
 * BAD_REQUEST (a body where there must be none). */
ERRFN route_admit(struct exchange *x, int64_t length);

/* Answers an exchange that was admitted, whatever happens. */
void route_serve(struct exchange *x);

/* The handlers. */
ERRFN handle_health(struct exchange *x);
ERRFN handle_ready(struct exchange *x);
ERRFN handle_openapi(struct exchange *x);
ERRFN handle_register(struct exchange *x);
ERRFN handle_nonce(struct exchange *x);
ERRFN handle_challenge(struct exchange *x);
ERRFN handle_attest(struct exchange *x);
ERRFN handle_config(struct exchange *x);
ERRFN handle_config_pending(struct exchange *x);
ERRFN handle_machine_self(struct exchange *x);
ERRFN handle_machine_list(struct exchange *x);
ERRFN handle_machine_get(struct exchange *x);
ERRFN handle_machine_evidence(struct exchange *x);
ERRFN handle_machine_export(struct exchange *x);
ERRFN handle_machine_approve(struct exchange *x);
ERRFN handle_machine_explain(struct exchange *x);
ERRFN handle_machine_capture(struct exchange *x);
ERRFN handle_policy_simulate(struct exchange *x);
ERRFN handle_policy_push(struct exchange *x);
ERRFN handle_policy_list(struct exchange *x);
ERRFN handle_policy_get(struct exchange *x);
ERRFN handle_policy_activate(struct exchange *x);
ERRFN handle_enroll(struct exchange *x);
ERRFN handle_request_cert(struct exchange *x);
ERRFN handle_ak_activate(struct exchange *x);
ERRFN handle_pki_ca(struct exchange *x);
ERRFN handle_pki_crl(struct exchange *x);
ERRFN handle_pki_bundle(struct exchange *x);
ERRFN handle_certificate_list(struct exchange *x);
ERRFN handle_certificate_revoke(struct exchange *x);
ERRFN handle_machine_lock(struct exchange *x);
ERRFN handle_machine_unlock(struct exchange *x);
ERRFN handle_machine_revoke(struct exchange *x);
ERRFN handle_machine_reject(struct exchange *x);
ERRFN handle_machine_delete(struct exchange *x);
ERRFN handle_machine_wipe_ack(struct exchange *x);

#endif
