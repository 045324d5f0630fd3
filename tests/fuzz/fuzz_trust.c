/* Bundles of certificates are read whole or not at all. */
#include "tpm/trust.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(trust) trust = NULL;
    if (!IS_OK(trust_new(&trust))) {
        abort();
    }
    size_t count = 0;
    err_t added = trust_add_root(trust, view_of(data, size), &count);
    if (!IS_OK(added) && trust_root_count(trust) != 0) {
        abort(); /* whole or not at all */
    }
    struct trust_mixed mixed = {0};
    size_t before = trust_root_count(trust) + trust_intermediate_count(trust);
    IGNORE_ERR(trust_add_mixed(trust, view_of(data, size), &mixed));
    if (trust_root_count(trust) + trust_intermediate_count(trust) !=
        before + mixed.roots + mixed.intermediates) {
        abort();
    }
    IGNORE_ERR(trust_allow_hash(trust, view_of(data, size)));
    return 0;
}
