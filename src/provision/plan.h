/* What each of the two tokens needs. */
#ifndef ITL_PROVISION_PLAN_H
#define ITL_PROVISION_PLAN_H

#include "provision/token.h"

/* CA token: enrollment CA, audit and vault keys, the CA's certificate, the sealed database key. */
struct token_plan plan_ca(const struct ceremony *c);

/* TLS token: the server's key, its certificate and a request for one. */
struct token_plan plan_tls(const struct ceremony *c);

#endif
