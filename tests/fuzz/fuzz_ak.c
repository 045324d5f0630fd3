/* An AK that is accepted has a key, an accepted scheme and a name. */
#include "tpm/ak.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(ak) ak = NULL;
    if (!IS_OK(ak_parse(view_of(data, size), &ak))) {
        if (ak) {
            abort();
        }
        return 0;
    }
    if (!ak->key || ak->key_type == AK_KEY_NONE || !tpm_hash_md(ak->hash_alg) ||
        ak->name_len < 34 || ak->public_area->len != size) {
        abort();
    }
    return 0;
}
