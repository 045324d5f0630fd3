/* PEM (RFC 7468): blocks one after the other, whatever text stands between them. */
#ifndef ITL_TPM_PEM_H
#define ITL_TPM_PEM_H

#include "base/bytes.h"

#include <openssl/types.h>

enum { PEM_LABEL_SIZE = 32 }; /* the longest we read is "TRUSTED CERTIFICATE" */

#define PEM_CERTIFICATE     "CERTIFICATE"
#define PEM_CERTIFICATE_OLD "X509 CERTIFICATE"
#define PEM_PUBLIC_KEY      "PUBLIC KEY"

struct pem_reader {
    BIO *bio;
    size_t len;
};

struct pem_block {
    char label[PEM_LABEL_SIZE];
    struct buf *der;
};

/* Whether it is to be read as PEM: a block begins in it, with nothing but text before. DER is never
 * taken for that, because its tags are control characters. */
bool pem_is(struct view sent);

/* Reads from `text`, which must outlive the reader. Errors: NO_MEMORY. */
ERRFN pem_open(struct view text, struct pem_reader *out_reader);
void pem_close(struct pem_reader *reader);

/* The next block; its bytes are the caller's. Errors: NOT_FOUND behind the last one; FIELD_INVALID
 * for a damaged or encrypted block, after which the next call reads on behind it; NO_MEMORY. */
ERRFN pem_next(struct pem_reader *reader, struct pem_block *out_block);

/* How many bytes of the text are read. */
size_t pem_offset(const struct pem_reader *reader);

#endif
