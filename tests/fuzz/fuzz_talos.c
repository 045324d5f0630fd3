/* Base configurations: a merge either refuses or gives a text that merges again to itself. */
#include "talos/machine_config.h"

#include <stdlib.h>

#define EK                                                                                         \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab" \
    "cdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static err_t merge(struct view base, struct buf **out_merged)
{
    static const struct machine_config_facts facts = {.machine_id =
                                                          "6f1c1b9e-1d7e-4d8e-9d55-0123456789ab",
                                                      .role = "worker-app",
                                                      .hostname = "node-1",
                                                      .assigned_ip = "10.0.0.7/24",
                                                      .ek_fingerprint = EK,
                                                      .cluster_id = "c",
                                                      .installer_image = "x:1"};
    TRY(buf_new(MACHINE_CONFIG_MAX_BYTES, out_merged));
    return machine_config_merge(base, &facts, *out_merged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(buf) once = NULL;
    AUTO(buf) twice = NULL;
    if (!IS_OK(merge(view_of(data, size), &once))) {
        return 0;
    }
    err_t e = merge(buf_view(once), &twice);
    if (!IS_OK(e) || twice->len != once->len) {
        abort();
    }
    return 0;
}
