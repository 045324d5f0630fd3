/* CA certificates of vendors in folders as people keep them: roots and intermediates in any mix and
 * form, with files between them that are something else. */
#ifndef ITL_CLI_EVIDENCE_FOLDER_H
#define ITL_CLI_EVIDENCE_FOLDER_H

#include "tpm/trust.h"

/* Adds every certificate below a folder, and below its folders; what holds none is warned about on
 * standard error and passed over. Also takes a single file. Errors: CONFIG_UNREADABLE when there is
 * no such folder, TOO_LONG past TRUST_CERTS_MAX or TRUST_FILES_MAX, NO_MEMORY. */
ERRFN evidence_folder_add(struct trust *trust, const char *folder);

#endif
