/* A certificate of the inventory on the wire. */
#ifndef ITL_SIGNER_CERTIFICATE_RECORD_H
#define ITL_SIGNER_CERTIFICATE_RECORD_H

#include "ipc/messages.h"
#include "sql/certificates.h"

enum { CERTIFICATE_RECORD_MAX_BYTES = 1024 /* encoded */ };

/* Views point into the certificate. */
struct ipc_certificate_record certificate_record(const struct certificate *certificate);

#endif
