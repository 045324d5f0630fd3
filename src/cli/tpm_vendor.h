/* Who makes TPMs: the TCG TPM Vendor ID Registry in words. */
#ifndef ITL_CLI_TPM_VENDOR_H
#define ITL_CLI_TPM_VENDOR_H

/* "Nuvoton" for "id:4E544300", as EK certificates write it; NULL for one that is not known. */
const char *tpm_vendor_name(const char *manufacturer);

#endif
