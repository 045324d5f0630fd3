/* What an EK certificate says about itself (TCG EK Credential Profile 2.5 section 3). */
#ifndef ITL_TPM_EK_FACTS_H
#define ITL_TPM_EK_FACTS_H

#include "tpm/ek.h"

#define OID_TPM_MANUFACTURER "2.23.133.2.1"
#define OID_TPM_MODEL        "2.23.133.2.2"
#define OID_TPM_VERSION      "2.23.133.2.3"
#define OID_EK_CERTIFICATE   "2.23.133.8.1" /* tcg-kp-EKCertificate */

/* Sets serial, validity, manufacturer, model, version and quirks from ek->x509. Errors:
 * EK_UNREADABLE for a validity or serial that can't be read. */
ERRFN ek_facts_read(struct ek *ek);

/* Sets family, level and revision from the SubjectDirectoryAttributes (section 3.2.10), where they
 * are well-formed. */
void ek_specification_read(struct ek *ek);

/* Whether an object identifier is this one, in dotted form. */
bool ek_facts_oid_is(const ASN1_OBJECT *oid, const char *dotted);

#endif
