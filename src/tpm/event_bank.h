/* The hash algorithms whose PCR banks an event log can speak of, and a quote select. A log is
 * replayed in every bank it has digests for, also in those that no policy asks for, so that an
 * engineer sees them. */
#ifndef ITL_TPM_EVENT_BANK_H
#define ITL_TPM_EVENT_BANK_H

#include "base/bytes.h"
#include "tpm/key.h"

#include <openssl/types.h>

/* TCG Algorithm Registry section 6, beyond those of key.h. */
enum {
    TPM_ALG_SM3_256 = 0x0012,
    TPM_ALG_SHA3_256 = 0x0027,
    TPM_ALG_SHA3_384 = 0x0028,
    TPM_ALG_SHA3_512 = 0x0029
};

enum { EVENT_BANK_COUNT = 8 };

struct event_bank {
    uint16_t alg;     /* TPM_ALG_ID */
    uint8_t size;     /* bytes of a digest */
    const char *name; /* "sha256" */
    const EVP_MD *(*md)(void);
};

/* The banks in the order they are shown: SHA-1, SHA-2, SM3, SHA-3. */
extern const struct event_bank event_banks[EVENT_BANK_COUNT];

/* NULL for an algorithm that is none of them. */
const struct event_bank *event_bank_of(uint16_t alg);

/* 1 << its place in event_banks; 0 for none of them. */
uint32_t event_bank_bit(uint16_t alg);

#endif
