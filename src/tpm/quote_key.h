/* The key a quote is checked with, in whatever form a verifier has it. A TPM's public area says
 * what kind of key it is; a certificate or a SubjectPublicKeyInfo leaves that to who vouches for
 * it. */
#ifndef ITL_TPM_QUOTE_KEY_H
#define ITL_TPM_QUOTE_KEY_H

#include "tpm/ak.h"

struct quote_key {
    EVP_PKEY *key;
    enum tpm_key type;
    uint16_t scheme;   /* of its public area; TPM_ALG_NONE where there is none, or none is set */
    uint16_t hash_alg; /* the scheme's */
    uint8_t name[AK_NAME_MAX_BYTES]; /* TPM 2.0 Part 1 section 16; empty without a public area */
    size_t name_len;
    err_t fault; /* AK_ATTRIBUTES or AK_ALGORITHM when its public area is not an AK's; else OK */
};

/* Reads PEM or DER of SubjectPublicKeyInfo, of RSAPublicKey or of an X.509 certificate, of which
 * only the key counts; TPM2B_PUBLIC or TPMT_PUBLIC. Errors: AK_UNREADABLE; AK_ALGORITHM for a key
 * of a type or size that is not accepted; CRYPTO, NO_MEMORY. */
ERRFN quote_key_read(struct view sent, struct quote_key **out_key);

void quote_key_free(struct quote_key *key);
AUTO_DEFINE(quote_key, struct quote_key, quote_key_free);

#endif
