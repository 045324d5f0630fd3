/* The inventory of issued certificates and the one revocation list made from it. A certificate is
 * known by its serial number and the hash of its DER; rows outlive their machine. */
#ifndef ITL_SQL_CERTIFICATES_H
#define ITL_SQL_CERTIFICATES_H

#include "sql/machines.h"

enum {
    CERTIFICATE_SERIAL_BYTES = 16,
    CERTIFICATE_HASH_BYTES = 32, /* SHA-256 of the DER */
    CERTIFICATE_NAME_SIZE = 513, /* a SPIFFE ID or urn:itl:ek:, and a NUL */
    CERTIFICATE_KEPT_MS = 7 * 24 * 3600 * 1000, /* after its end, for whoever looks into an incident */
    REVOCATION_LIST_MAX_BYTES = 1024 * 1024
};

/* Stored and sent as numbers: never renumber. */
enum certificate_kind { CERTIFICATE_NONE = 0, CERTIFICATE_ENROLLMENT, CERTIFICATE_SVID };

/* CRLReason, RFC 5280 section 5.3.1; those that we give. */
enum certificate_reason {
    CERTIFICATE_REASON_UNSPECIFIED = 0,
    CERTIFICATE_REASON_AFFILIATION_CHANGED = 3, /* its machine got another role */
    CERTIFICATE_REASON_SUPERSEDED = 4,
    CERTIFICATE_REASON_HOLD = 6, /* its machine is locked: ends with the lock */
    CERTIFICATE_REASON_PRIVILEGE_WITHDRAWN = 9 /* its machine was revoked */
};

struct certificate {
    uint8_t serial[CERTIFICATE_SERIAL_BYTES];
    char machine_id[MACHINE_ID_SIZE];
    int kind; /* enum certificate_kind */
    uint8_t sha256[CERTIFICATE_HASH_BYTES];
    char name[CERTIFICATE_NAME_SIZE]; /* its URI */
    char role[65];
    uint64_t not_before_ms;
    uint64_t not_after_ms;
    uint64_t revoked_ms; /* 0 for never */
    int revoked_reason;  /* enum certificate_reason */
};

/* Not revoked, whatever the record says of that. Errors: DB_CONFLICT when the serial exists. */
ERRFN certificate_put(struct db *db, const struct certificate *certificate);

/* Errors: CERTIFICATE_UNKNOWN. */
ERRFN certificate_get(struct db *db, const uint8_t serial[static CERTIFICATE_SERIAL_BYTES],
                      struct certificate *out_certificate);

/* Of this machine and kind, in time and not revoked. */
ERRFN certificate_count_live(struct db *db, const char *machine_id, enum certificate_kind kind,
                             uint64_t now_ms, uint64_t *out_count);

/* Called once per row; the row lives for the call only. An error ends the listing and is
 * returned. */
typedef err_t (*certificate_each)(void *context, const struct certificate *certificate);

/* Up to `limit`, in the order in which they were issued, behind the one with serial `after` (NULL
 * for the first), of one machine or ("" or NULL) of all. Errors: CERTIFICATE_UNKNOWN for `after`. */
ERRFN certificate_list(struct db *db, const char *machine_id, const uint8_t *after, uint32_t limit,
                       certificate_each each, void *context);

/* -- revocation ------------------------------------------------------------------------------ */

/* One for good, or on hold. Errors: CERTIFICATE_UNKNOWN, CERTIFICATE_REVOKED (already). */
ERRFN certificate_revoke(struct db *db, const uint8_t serial[static CERTIFICATE_SERIAL_BYTES],
                         uint64_t now_ms, enum certificate_reason reason);

/* All of a machine that are in time; or those of one kind. None is fine. */
ERRFN certificate_revoke_machine(struct db *db, const char *machine_id, uint64_t now_ms,
                                 enum certificate_reason reason);
ERRFN certificate_revoke_kind(struct db *db, const char *machine_id, enum certificate_kind kind,
                              uint64_t now_ms, enum certificate_reason reason);

/* Those on hold are good again. */
ERRFN certificate_release_machine(struct db *db, const char *machine_id);

/* Revoked ones that end after `since_ms`, in the order of their revocation. */
ERRFN certificate_list_revoked(struct db *db, uint64_t since_ms, uint32_t limit,
                               certificate_each each, void *context);

/* Changes of any certificate's revocation since the database was made. Constant time. */
ERRFN certificate_count_revocations(struct db *db, uint64_t *out_count);

/* The revocation list in use. */
struct revocation_list {
    uint64_t number;      /* CRLNumber; only ever grows */
    uint64_t made_ms;     /* thisUpdate */
    uint64_t next_ms;     /* nextUpdate */
    uint64_t revocations; /* certificate_count_revocations when it was made */
    struct view der;
};

/* Errors: DB_CONFLICT unless its number is greater than that of the one before; TOO_LONG. */
ERRFN revocation_list_put(struct db *db, const struct revocation_list *list);

/* The view points into `storage`, which is emptied first and must be able to hold
 * REVOCATION_LIST_MAX_BYTES. Errors: NOT_FOUND when there was none yet. */
ERRFN revocation_list_get(struct db *db, struct buf *storage, struct revocation_list *out_list);

#endif
