/* A software TPM of its own for a test. */
#ifndef ITL_TESTS_NODE_SWTPM_H
#define ITL_TESTS_NODE_SWTPM_H

#include <stdbool.h>
#include <sys/types.h>

struct swtpm {
    pid_t pid;
    char folder[64];
    char tcti[96]; /* for tpm_open, --tcti and TPM2TOOLS_TCTI */
};

/* Makes and starts a TPM; with certificates it has an RSA-2048 EK (L-1) and a P-384 EK (H-3), and
 * the SHA-256 and SHA-384 banks either way. Also sets TPM2TOOLS_TCTI for swtpm_run. */
void swtpm_start(bool certificates, struct swtpm *out_swtpm);

/* Stops it and removes its folder. */
void swtpm_stop(struct swtpm *swtpm);

/* Runs a shell command in the TPM's folder; fails the test when the command fails. */
void swtpm_run(const struct swtpm *swtpm, const char *command);

#endif
