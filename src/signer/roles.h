/* The closed sets of names that requests may use. */
#ifndef ITL_SIGNER_ROLES_H
#define ITL_SIGNER_ROLES_H

#include "base/bytes.h"

/* controlplane, worker-infra or worker-app. */
bool role_is_known(struct view role);

/* 1 to 63 of a-z, 0-9 and '-', not starting with '-' (contract B.1.19d): it names a folder. */
bool cluster_is_valid(struct view cluster);

#endif
