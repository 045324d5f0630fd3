/* What the node holds from the appliance's CA, as files: each certificate with its own key, and the
 * CA's certificate.
 *
 * A set is a folder of its own that never changes once it is there:
 *
 *   PREFIX.d/current -> set-7          the set in force
 *   PREFIX.d/set-7/enrollment.key      PKCS #8 in PEM, mode 0400
 *   PREFIX.d/set-7/enrollment.crt      PEM, mode 0444, as what follows
 *   PREFIX.d/set-7/svid.key, svid.crt  where the appliance has a trust domain
 *   PREFIX.d/set-7/ca.crt
 *   PREFIX.d/set-6/                    the one before, for whoever still reads it
 *   PREFIX.key, PREFIX.crt, PREFIX-ca.crt, PREFIX-svid.key, PREFIX-svid.crt -> PREFIX.d/current/...
 *
 * The link `current` is renamed over the old one, which every file system with links does in one
 * step, before and after a crash; two folders can change places (RENAME_EXCHANGE) on only some. Who
 * opens the folder PREFIX.d/current once and reads from that gets files that belong together; who
 * opens two paths one after the other may get two sets. */
#ifndef ITL_NODE_CERTIFICATE_SET_H
#define ITL_NODE_CERTIFICATE_SET_H

#include "base/secret.h"

enum { CERTIFICATE_PEM_MAX_BYTES = 8192 /* ours take 1,500 */ };

enum certificate_kind { CERTIFICATE_ENROLLMENT = 0, CERTIFICATE_SVID, CERTIFICATE_KINDS };

struct certificate_pair {
    struct secret *key;      /* PEM; NULL, and the other one too, for none */
    struct buf *certificate; /* PEM */
};
void certificate_pair_clear(struct certificate_pair *pair);

struct certificate_set {
    struct certificate_pair pairs[CERTIFICATE_KINDS];
    struct buf *ca; /* PEM */
};
void certificate_set_clear(struct certificate_set *set);

/* The set in force; without a pair that is not whole. Errors: NOT_FOUND for none,
 * CERTIFICATE_FOLDER for a folder that others may write to, IO, NO_MEMORY. */
ERRFN certificate_set_read(const char *prefix, struct certificate_set *out_set);

/* Puts a set into force: on disk and complete before it can be seen. On failure the old one stays
 * as it was. Errors: DB_FULL for a full disk, CERTIFICATE_FOLDER, IO, TOO_LONG. */
ERRFN certificate_set_write(const char *prefix, const struct certificate_set *set);

/* Writes a set of the usual size and takes it away again: what the appliance issues counts against
 * a limit, so it is not to be asked for what can't be kept. Errors: as writing. */
ERRFN certificate_set_rehearse(const char *prefix);

/* Removes what a crash has left behind and sets older than the one before, and makes links that are
 * missing. Errors: as reading and writing. */
ERRFN certificate_set_tidy(const char *prefix);

#endif
