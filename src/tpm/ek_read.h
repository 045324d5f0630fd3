/* The two ways to an EK, from a certificate and from a key. For the files of ek.h only: each fills
 * in what it finds, in an EK that is freed when it fails. */
#ifndef ITL_TPM_EK_READ_H
#define ITL_TPM_EK_READ_H

#include "tpm/ek.h"

/* A certificate in any wrapping (ek_container.h). Errors: as ek_parse. */
ERRFN ek_certificate_read(struct ek *ek, struct view sent);

/* The same, without the key when it is not one that is accepted. */
ERRFN ek_certificate_read_for_display(struct ek *ek, struct view sent);

/* SubjectPublicKeyInfo or a public area. Errors: as ek_parse. */
ERRFN ek_key_read(struct ek *ek, struct view sent);

/* Sets everything that follows from ek->key alone. Errors: EK_KEY_UNSUPPORTED, CRYPTO, NO_MEMORY.
 */
ERRFN ek_key_finish(struct ek *ek);

#endif
