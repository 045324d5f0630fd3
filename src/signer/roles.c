#include "signer/roles.h"

enum { CLUSTER_MAX_BYTES = 63 };

bool role_is_known(struct view role)
{
    return view_is(role, "controlplane") || view_is(role, "worker-infra") || view_is(role, "worker-app");
}

bool cluster_is_valid(struct view cluster)
{
    if (cluster.len == 0 || cluster.len > CLUSTER_MAX_BYTES || cluster.data[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < cluster.len; i++) {
        uint8_t c = cluster.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }
    return true;
}
