/* Certificates as an appliance would issue them, for tests of what the node does with them. */
#ifndef ITL_TESTS_NODE_ISSUE_H
#define ITL_TESTS_NODE_ISSUE_H

#include "node/certificate_set.h"

/* A new P-384 key and a certificate that it signs itself, from notBefore to notAfter in UTC. */
void issue_pair(const char *machine_id, const char *role, uint64_t from_ms, uint64_t until_ms,
                struct certificate_pair *out_pair);

/* Both pairs, valid for an hour, and a text in the place of the CA's certificate. */
void issue_set(struct certificate_set *out_set);

#endif
