/* A signature in whichever form TPMs, tools and protocols hand it on. For quote_signature.c. */
#ifndef ITL_TPM_SIGNATURE_FORM_H
#define ITL_TPM_SIGNATURE_FORM_H

#include "tpm/key.h"

/* Views point into the bytes read. */
struct signature_form {
    uint16_t scheme;   /* TPM_ALG_ID; TPM_ALG_NONE where the form does not say one */
    uint16_t hash_alg; /* the same */
    struct view rsa;   /* of these, those that the form has */
    struct view r;
    struct view s;
    struct view der; /* ECDSA-Sig-Value */
    bool foreign;    /* it is a signature, but of no key of this type and size */
};

/* Reads TPMT_SIGNATURE (TPM 2.0 Part 2 section 11.3.4) of any scheme, DER ECDSA-Sig-Value, r and s
 * one behind the other, each as long as the curve's coordinates, or raw RSA; also any of them
 * behind its length, as in a TPM2B. out_offset is where reading stopped. Errors:
 * QUOTE_SIGNATURE_UNREADABLE. */
ERRFN signature_form_read(struct view sent, const EVP_PKEY *key, struct signature_form *out_form,
                          size_t *out_offset);

#endif
