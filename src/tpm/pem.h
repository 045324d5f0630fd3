/* PEM (RFC 7468): blocks one after the other, whatever text stands between them. Takes what people
 * make of it, too: indented, on one line, between quotation marks with "\n" for line ends. */
#ifndef ITL_TPM_PEM_H
#define ITL_TPM_PEM_H

#include "base/bytes.h"

enum { PEM_LABEL_SIZE = 32 }; /* the longest we read is "PKCS #7 SIGNED DATA" */

#define PEM_CERTIFICATE     "CERTIFICATE"
#define PEM_CERTIFICATE_OLD "X509 CERTIFICATE"
#define PEM_PKCS7           "PKCS7"
#define PEM_PKCS7_OLD       "PKCS #7 SIGNED DATA"
#define PEM_PUBLIC_KEY      "PUBLIC KEY"
#define PEM_RSA_PUBLIC_KEY  "RSA PUBLIC KEY"

struct pem_reader {
    struct view rest;
    size_t len;
};

struct pem_block {
    char label[PEM_LABEL_SIZE];
    struct buf *der;
};

/* Whether it is to be read as PEM: a block begins in it, with nothing but text before. DER is never
 * taken for that, because its tags are control characters. */
bool pem_is(struct view sent);

/* Reads from `text`, which must outlive the reader. */
struct pem_reader pem_open(struct view text);

/* The next block; its bytes are the caller's. Errors: NOT_FOUND behind the last one; FIELD_INVALID
 * for a damaged or encrypted block, after which the next call reads on behind it; NO_MEMORY. */
ERRFN pem_next(struct pem_reader *reader, struct pem_block *out_block);

/* Whether a block says that it is a certificate. */
bool pem_is_certificate(const struct pem_block *block);

/* How many bytes of the text are read. */
size_t pem_offset(const struct pem_reader *reader);

#endif
