/* Why bytes can't be read as an EK: what they are instead, and where reading stops. For a person to
 * read; nothing is decided by it. */
#ifndef ITL_TPM_EK_DIAGNOSIS_H
#define ITL_TPM_EK_DIAGNOSIS_H

#include "base/bytes.h"

/* X.509 and its relatives, told apart by their outermost shape. */
enum ek_relative {
    EK_RELATIVE_NONE = 0,
    EK_RELATIVE_CERTIFICATE,
    EK_RELATIVE_ATTRIBUTE_CERTIFICATE, /* RFC 5755; TCG platform certificates are such */
    EK_RELATIVE_CRL,
    EK_RELATIVE_REQUEST, /* PKCS#10 */
    EK_RELATIVE_PKCS7,
    EK_RELATIVE_PRIVATE_KEY, /* PKCS#8, PKCS#1 or SEC 1 */
    EK_RELATIVE_PUBLIC_KEY   /* SubjectPublicKeyInfo, RSAPublicKey */
};

struct ek_diagnosis {
    enum ek_relative relative;
    size_t offset;    /* of the byte at fault */
    const char *what; /* sentence fragment, a constant */
};

/* What one DER value seems to be. */
enum ek_relative ek_relative_of(struct view der);

/* "an X.509 attribute certificate" and so on; NULL for NONE. */
const char *ek_relative_name(enum ek_relative relative);

/* For bytes that are not PEM. */
struct ek_diagnosis ek_diagnose(struct view sent);

#endif
