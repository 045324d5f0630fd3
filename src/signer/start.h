/* From settings to sealed: everything the signer needs is opened and used once before the sandbox closes. */
#ifndef ITL_SIGNER_START_H
#define ITL_SIGNER_START_H

#include "signer/signer.h"

/* Opens token, database, trust and policy, seals the process and tells the supervisor. On failure out_subject names the setting, key or
 * file at fault. */
ERRFN signer_start(struct signer *s, const char **out_subject);

#endif
