/* Policies: every version that was ever pushed, and which one was in force when. A version is
 * never changed or removed; an activation is a row of its own, so that rolling back is one more
 * activation and the history stays. */
#ifndef ITL_SQL_POLICIES_H
#define ITL_SQL_POLICIES_H

#include "sql/db.h"

#include <stdbool.h>

enum {
    POLICY_TEXT_MAX_BYTES = 1024 * 1024, /* as policy/policy.h reads at most */
    POLICY_SHA384_BYTES = 48,
    POLICY_STORED_NAME_SIZE = 65,
    POLICY_AUTHOR_SIZE = 129,
    POLICY_COMMENT_SIZE = 257,
    POLICY_SPENT_RULE_SIZE = 65,
    SPENT_LISTED_MAX = 256, /* as many as a policy may grant at all */
    POLICIES_MAX = 4096 /* a version a day for eleven years */
};

struct stored_policy {
    uint64_t number; /* of the store, from 1, in the order of arrival */
    char name[POLICY_STORED_NAME_SIZE];
    uint32_t version; /* what the document calls itself */
    uint8_t sha384[POLICY_SHA384_BYTES]; /* of the text */
    char author[POLICY_AUTHOR_SIZE];
    char comment[POLICY_COMMENT_SIZE];
    uint64_t created_ms;   /* UTC */
    uint64_t activated_ms; /* when it came into force last, 0 for never */
    bool active;
};

/* Keeps a new version; number, activated_ms and active of `policy` are ignored. Errors:
 * DB_CONFLICT when this text is stored already (out_number is then set to its number); TOO_LONG
 * past a limit. */
ERRFN policy_store_put(struct db *db, const struct stored_policy *policy, struct view text,
                       uint64_t *out_number);

/* The text is appended to out_text, which must be able to hold POLICY_TEXT_MAX_BYTES. Errors:
 * POLICY_VERSION. */
ERRFN policy_store_get(struct db *db, uint64_t number, struct stored_policy *out_policy,
                       struct buf *out_text);

/* The one in force. Errors: POLICY_VERSION when none was ever activated. */
ERRFN policy_store_active(struct db *db, struct stored_policy *out_policy, struct buf *out_text);

/* The one that was in force before the active one. Errors: POLICY_VERSION. */
ERRFN policy_store_previous(struct db *db, uint64_t *out_number);

/* From now on this one. Errors: POLICY_VERSION; DB_CONFLICT when it is in force. */
ERRFN policy_store_activate(struct db *db, uint64_t number, uint64_t now_ms);

/* Called once per row, newest first; the row lives for the call only. An error ends the listing
 * and is returned. */
typedef err_t (*policy_each)(void *context, const struct stored_policy *policy);

/* Up to `limit` with a number below `before` (0 for the newest). */
ERRFN policy_store_list(struct db *db, uint64_t before, uint32_t limit, policy_each each,
                        void *context);

/* -- one-shot exceptions --------------------------------------------------------------------- */

/* Rule and expiry name an exception of one machine, whichever version of the policy grants it. */
struct spent_exception {
    char rule[POLICY_SPENT_RULE_SIZE];
    uint64_t expires_ms;
};

/* It let the machine through, and will not again. Errors: MACHINE_UNKNOWN. */
ERRFN spent_exception_put(struct db *db, const char *machine_id, const char *rule,
                          uint64_t expires_ms, uint64_t now_ms);

/* Those that have not expired. Errors: TOO_LONG when there are more than SPENT_LISTED_MAX. */
ERRFN spent_exception_list(struct db *db, const char *machine_id, uint64_t now_ms,
                           struct spent_exception out_list[static SPENT_LISTED_MAX],
                           size_t *out_count);

#endif
