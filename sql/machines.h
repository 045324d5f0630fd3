/* Machines and the EKs that name them. */
#ifndef ITL_SQL_MACHINES_H
#define ITL_SQL_MACHINES_H

#include "sql/db.h"

#include <stdbool.h>

/* Stored and sent as numbers: never renumber. */
enum machine_status {
    MACHINE_NONE = 0,
    MACHINE_PENDING_APPROVAL,
    MACHINE_REGISTERED,
    MACHINE_ATTESTED,
    MACHINE_LOCKED,
    MACHINE_REVOKED,
    MACHINE_REJECTED
};

enum {
    MACHINE_ID_SIZE = 37,        /* a UUID and a NUL */
    EK_FINGERPRINT_BYTES = 48,   /* SHA-384 */
    MACHINE_EK_SIZE = 97,        /* SHA-384 in lower-case hexadecimal and a NUL */
    EK_RECORD_MAX_BYTES = 24576, /* each part of EK material: a certificate with the CAs above it */
    MACHINE_EKS_MAX = 4          /* what TPMs have: RSA-2048, P-256, P-384, RSA-3072 */
};

/* Texts are NUL-terminated, "" when unknown. Times are UTC milliseconds, 0 for never. */
struct machine {
    char machine_id[MACHINE_ID_SIZE];
    char ek_fingerprint[MACHINE_EK_SIZE]; /* SHA-384 of the EK's SubjectPublicKeyInfo; the EK it
                                             goes by now */
    char ek_public_hash[65];              /* SHA-256 of the same, hexadecimal */
    int ek_source;                        /* enum ek_source of tpm/ek.h */
    char hw_uuid[129];
    char hw_mac[129];
    char hw_serial[129];
    char hw_product[129];
    char role[65];
    char desired_role[65];
    int status;             /* enum machine_status */
    int status_before_lock; /* MACHINE_NONE unless locked */
    char cluster_id[65];
    char hostname[254];
    char assigned_ip[65];
    char assurance[65];
    uint64_t registered_at;
    uint64_t attested_at;
    uint64_t locked_at;
    uint64_t revoked_at;
    bool wipe_pending;
    char ek_manufacturer[65];
    char ek_model[65];
    char ek_version[65];
    char ek_anchor[257];     /* subject of the root that the EK certificate leads to */
    uint64_t evidence_at;    /* when policy accepted its last evidence */
    uint64_t evidence_until; /* how long that holds; 0: for as long as it is attested */
    uint32_t gates;          /* what that evidence opened, in the caller's bits */
};

/* EK material as received, never re-encoded. A machine may show several EKs of its TPM. Views may
 * be empty. */
struct ek_record {
    char fingerprint[MACHINE_EK_SIZE];
    char machine_id[MACHINE_ID_SIZE];
    int source;        /* enum ek_source */
    int key_type;      /* enum tpm_key */
    uint64_t since_ms; /* when it became the machine's */
    struct view certificate;
    struct view spki;
    struct view public_area; /* TPM2B_PUBLIC */
};

/* A new machine with its EK, whose fingerprint is the machine's. ek->machine_id is ignored.
 * Errors: DB_CONFLICT when the machine_id or the EK exists; TOO_LONG. */
ERRFN machine_insert(struct db *db, const struct machine *machine, const struct ek_record *ek);

/* Errors: MACHINE_UNKNOWN. */
ERRFN machine_by_id(struct db *db, const char *machine_id, struct machine *out_machine);

/* By any EK of the machine, given as 96 hexadecimal digits. Errors: MACHINE_UNKNOWN,
 * FIELD_INVALID. */
ERRFN machine_by_ek(struct db *db, const char *fingerprint, struct machine *out_machine);

/* Writes everything but machine_id. Errors: MACHINE_UNKNOWN; DB_CONFLICT when ek_fingerprint is
 * not an EK of this machine. */
ERRFN machine_update(struct db *db, const struct machine *machine);

/* Forgets the machine with its EKs, AKs, evidence, tokens and votes; its audit rows and the record
 * of its certificates stay.
 * Errors: MACHINE_UNKNOWN. */
ERRFN machine_delete(struct db *db, const char *machine_id);

struct machine_filter {
    int status;       /* MACHINE_NONE for any */
    const char *role; /* "" or NULL for any */
};

/* Called once per row; the row lives for the call only. An error ends the listing and is
 * returned. */
typedef err_t (*machine_each)(void *context, const struct machine *machine);

/* Up to `limit` machines in the order in which they were inserted, starting behind the machine
 * `after` ("" for the first): a page does not shift when machines come or change. Errors:
 * MACHINE_UNKNOWN when `after` does not exist. */
ERRFN machine_list(struct db *db, const struct machine_filter *filter, const char *after,
                   uint32_t limit, machine_each each, void *context);

/* Machines in a state; constant time however many there are. */
ERRFN machine_count(struct db *db, enum machine_status status, uint64_t *out_count);
ERRFN machine_count_pending(struct db *db, uint64_t *out_count);

/* Adds an EK to a machine, or replaces the material of one that it has, since_ms excepted. How many
 * there may be is for the caller to keep. Errors: MACHINE_UNKNOWN; DB_CONFLICT when the EK belongs
 * to another machine; TOO_LONG. */
ERRFN ek_put(struct db *db, const struct ek_record *ek);

/* The views of out_ek point into `storage`, which is emptied first and must be able to hold 3 *
 * EK_RECORD_MAX_BYTES. Errors: MACHINE_UNKNOWN; FIELD_INVALID; TOO_LONG when storage is too
 * small. */
ERRFN ek_get(struct db *db, const char *fingerprint, struct buf *storage, struct ek_record *out_ek);

struct ek_summary {
    char fingerprint[MACHINE_EK_SIZE];
    int source;   /* enum ek_source */
    int key_type; /* enum tpm_key */
    uint64_t since_ms;
};

/* The machine's EKs, the oldest first; none for a machine that does not exist. */
ERRFN ek_list(struct db *db, const char *machine_id,
              struct ek_summary out_eks[static MACHINE_EKS_MAX], size_t *out_count);

#endif
