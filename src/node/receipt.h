/* A receipt: what an operator carries to the appliance for a machine that can't reach it. */
#ifndef ITL_NODE_RECEIPT_H
#define ITL_NODE_RECEIPT_H

#include "node/attempt.h"

/* Writes
 * {"ek_fingerprint","ek_source","ek_cert_pem","ek_pub","hw_…","role","cluster_id","created_at"} to
 * options.receipt. */
enum agent_outcome receipt_write(struct attempt *attempt);

#endif
