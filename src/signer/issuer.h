/* The enrollment CA at work: its key is in the token, its certificate in memory, what it issues in the inventory. */
#ifndef ITL_SIGNER_ISSUER_H
#define ITL_SIGNER_ISSUER_H

#include "signer/signer.h"
#include "sql/certificates.h"
#include "tpm/ek.h"

enum {
    ENROLLMENTS_LIVE_MAX = 32, /* one for each day of their lifetime, for nodes that keep none over a reboot */
    SVIDS_LIVE_MAX = 64        /* an hour's worth, renewed every minute */
};

/* Reads the CA's certificate, finds its key in the token, checks settings and signs once, so that the sandbox can be entered. On failure
 * out_subject says what it was about. Errors: CA_CERTIFICATE, CONFIG_INVALID, TOKEN_…. */
ERRFN issuer_open(struct signer *s, const char **out_subject);

/* A certificate as it goes into a reply. */
struct issuance {
    struct view pem;  /* lives as long as the call, as uri */
    struct view uri;
    uint64_t expires_at;
};

/* Whether issuer_issue would have a name and room for it; asked for everything that a request wants before the first is made. Errors:
 * CERTIFICATE_LIMIT, SVID_OFF, SPIFFE_ID. */
ERRFN issuer_check(struct call *call, const struct machine *machine, const struct ek *ek, enum certificate_kind kind);

/* Issues for a key (SubjectPublicKeyInfo) of the machine with this EK, puts it into the inventory and audits it. Whether the machine may have one is decided
 * before. Errors: CERTIFICATE_LIMIT, SVID_OFF, SPIFFE_ID, TOKEN_…. */
ERRFN issuer_issue(struct call *call, const struct machine *machine, const struct ek *ek, struct view spki,
                   enum certificate_kind kind, struct issuance *out_issuance);

#endif
