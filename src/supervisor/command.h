/* What an administrator does on the appliance's own console, through console.h, while the appliance runs. Each returns the exit status. */
#ifndef ITL_SUPERVISOR_COMMAND_H
#define ITL_SUPERVISOR_COMMAND_H

#include "config/config.h"

enum { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2, COMMAND_NOT_RUNNING = 3 };

int command_status(const struct config *config);

/* Opens break-glass: makes a P-384 key here, has it accepted for `minutes`, writes credential file `output` (NULL for
 * <runtime>/breakglass.json, mode 0600) for the attestation command. */
int command_breakglass_open(const struct config *config, const char *minutes, const char *reason, const char *output);
int command_breakglass_close(const struct config *config);

/* Prints the PKCS#10 request that itl-provision made for the TLS key. */
int command_tls_csr(const struct config *config);

/* Puts a certificate chain (PEM, leaf first) that somebody signed for that key into use. */
int command_tls_install(const struct config *config, const char *path);

/* Verifies the whole audit chain and prints its root. */
int command_audit_verify(const struct config *config);

#endif
