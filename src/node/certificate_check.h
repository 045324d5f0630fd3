/* What a certificate of the node's says, and whether a key is its own. */
#ifndef ITL_NODE_CERTIFICATE_CHECK_H
#define ITL_NODE_CERTIFICATE_CHECK_H

#include "base/bytes.h"

enum { CERTIFICATE_NAME_SIZE = 65 }; /* CN and OU have at most 64 characters (RFC 5280 A.1) */

struct certificate_facts {
    uint64_t from_ms; /* notBefore and notAfter, in UTC */
    uint64_t until_ms;
    char machine_id[CERTIFICATE_NAME_SIZE]; /* the subject's CN, "" for none */
    char role[CERTIFICATE_NAME_SIZE];       /* its OU, "" for none, as in an SVID */
};

/* One certificate and one private key (PKCS #8), both in PEM. Errors: CERTIFICATE_INVALID for what
 * is none, for a key that is not the certificate's, and for one that never is in time; NO_MEMORY.
 */
ERRFN certificate_check(struct view certificate, struct view key,
                        struct certificate_facts *out_facts);

#endif
