/* Makes certificates from facts: the enrollment certificate (contract A.3, B.4.3) and the X.509-SVID (SPIFFE X509-SVID 1.0). Pure but
 * for the CA's signature. */
#ifndef ITL_PKI_ISSUE_H
#define ITL_PKI_ISSUE_H

#include "pki/ca.h"
#include "pki/x509_parts.h"

enum { ISSUE_BACKDATE_MS = 5 * 60 * 1000 /* clocks of machines that just booted are a little off */ };

enum issue_profile {
    ISSUE_NONE = 0,
    ISSUE_ENROLLMENT, /* digitalSignature, clientAuth */
    ISSUE_SVID        /* digitalSignature, serverAuth and clientAuth; names nobody but by its URI */
};

/* Texts are the signer's own. */
struct issue_facts {
    enum issue_profile profile;
    struct view spki;           /* the key: SubjectPublicKeyInfo in DER, as csr_parse and wrapped_key_make give it */
    const char *machine_id;     /* CN; not in an SVID */
    const char *role;           /* OU; not in an SVID */
    const char *uri;            /* the one subjectAltName: urn:itl:ek:… or spiffe://… */
    const char *crl_url;        /* "" for no cRLDistributionPoints */
    uint64_t now_ms;
    uint64_t lifetime_ms;       /* from now on; cut where the CA's own time ends */
};

struct issued {
    struct buf *der; /* owned */
    struct buf *pem; /* owned */
    uint8_t serial[X509_SERIAL_BYTES];
    uint64_t not_before_ms;
    uint64_t not_after_ms;
};
void issued_clear(struct issued *issued);

/* Subject: country and organization of the CA, role and machine_id as above. CA:FALSE and keyUsage are critical, subject and
 * authority key identifiers always there. On failure nothing is left in *out_issued. Errors: those of the CA's key, CRYPTO, TOO_LONG. */
ERRFN certificate_issue(const struct ca *ca, const struct issue_facts *facts, struct issued *out_issued);

#endif
