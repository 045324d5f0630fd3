/* One token's part of the ceremony, in a process of its own: with only that token's environment and
 * PIN, and the privileges of the account that will use the token, so that a software token's files
 * are its. */
#ifndef ITL_PROVISION_TOKEN_H
#define ITL_PROVISION_TOKEN_H

#include "hsm/ceremony.h"
#include "provision/ceremony.h"

/* Runs while the token is open. */
struct token_work {
    const struct ceremony *ceremony;
    struct hsm *hsm;
    const struct hsm_settings *settings;
    struct buf *existing[ARTIFACT_COUNT]; /* NULL where there is no such file */
    bool database_exists;
    struct buf *made[ARTIFACT_COUNT]; /* what the parent is to write; NULL where nothing is */
};

enum { ARTIFACT_MAX_BYTES = 64 * 1024 }; /* a chain of ten long certificates */

struct token_plan {
    const char *name; /* "ca" or "tls" */
    const struct config_token *settings;
    const struct sandbox_account *account;
    const enum hsm_role *roles;
    size_t roles_count;
    const enum artifact *artifacts;
    size_t artifacts_count;
    /* After the keys were found or made. */
    ERRFN (*finish)(struct token_work *work);
};

/* The child's side: reads the PIN, becomes the token's account, makes or checks token and keys, and
 * fills work->made. Says everything. Errors: any of the token's. */
ERRFN token_work_as_account(const struct token_plan *plan, struct token_work *work);

/* Prepares PIN and store, runs the plan in a child and writes what it made. Says everything.
 * Errors: the child's, IO. */
ERRFN token_run(const struct ceremony *c, const struct token_plan *plan);

#endif
