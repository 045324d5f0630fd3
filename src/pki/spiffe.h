/* SPIFFE IDs from a template (SPIFFE-ID 1.0), such as /agents/tpm/{{tpm_ek.manufacturer}}/{{tpm_ek.public_hash}}. */
#ifndef ITL_PKI_SPIFFE_H
#define ITL_PKI_SPIFFE_H

#include "base/bytes.h"

enum {
    SPIFFE_ID_SIZE = 513,       /* far under SPIFFE's 2048 bytes: a template and nine short values */
    SPIFFE_TEMPLATE_SIZE = 257,
    SPIFFE_TRUST_DOMAIN_SIZE = 256
};

/* What a template may name; "" for what a machine does not have. Manufacturer and version are written without the "id:" of the TCG's
 * notation, since a SPIFFE ID has no colon in its path; nothing else is ever altered. */
struct spiffe_facts {
    const char *public_hash;   /* {{tpm_ek.public_hash}} */
    const char *serial_number; /* {{tpm_ek.serial_number}} */
    const char *manufacturer;  /* {{tpm_ek.manufacturer}} */
    const char *model;         /* {{tpm_ek.model}} */
    const char *version;       /* {{tpm_ek.version}} */
    const char *machine_id;    /* {{machine_id}} */
    const char *role;          /* {{role}} */
    const char *cluster;       /* {{cluster}} */
    const char *hostname;      /* {{hostname}} */
};

/* Lower-case letters, digits, '.', '-' and '_', 1 to 255 (section 2.1). */
bool spiffe_trust_domain_valid(const char *trust_domain);

/* A path whose segments hold letters, digits, '.', '-', '_' and variables known here, and which names the machine: at least one of
 * public_hash, machine_id, serial_number or hostname, so that two machines don't share an ID. */
bool spiffe_template_valid(const char *template);

/* spiffe://TRUST_DOMAIN/path. Errors: SPIFFE_ID when a value is missing, has another character, or makes a segment "." or "..", or when
 * the whole is too long. A value never adds a segment. */
ERRFN spiffe_id_make(const char *trust_domain, const char *template, const struct spiffe_facts *facts,
                     char out_id[static SPIFFE_ID_SIZE]);

#endif
