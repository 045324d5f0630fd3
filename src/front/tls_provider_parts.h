/* What the three files of the provider share. */
#ifndef ITL_FRONT_TLS_PROVIDER_PARTS_H
#define ITL_FRONT_TLS_PROVIDER_PARTS_H

#include "front/tls_provider.h"

#include <openssl/core.h>

#define TLS_PROVIDER_GROUP "secp384r1"

enum {
    TLS_PROVIDER_POINT_BYTES = 97,         /* uncompressed point of P-384 (SEC 1 section 2.3.3) */
    TLS_PROVIDER_SIGNATURE_MAX_BYTES = 104 /* DER of two 48-byte integers */
};

struct tls_provider_key {
    uint8_t point[TLS_PROVIDER_POINT_BYTES];
    bool set;
};

/* A row of an OSSL_DISPATCH. */
#define TLS_PROVIDER_FUNCTION(id, function) \
    {                                       \
        id, (void (*)(void))(function)      \
    }

extern const OSSL_DISPATCH tls_provider_key_functions[];
extern const OSSL_DISPATCH tls_provider_signature_functions[];

void tls_provider_set_signer(const struct tls_signer *signer);

#endif
