/* What the supervisor tells the signer. */
#ifndef ITL_SIGNER_SETTINGS_H
#define ITL_SIGNER_SETTINGS_H

#include "base/bytes.h"

#include <limits.h>

enum { DUAL_CONTROL_ROLES_MAX = 8 };

struct signer_settings {
    char database_path[PATH_MAX];
    char database_key_path[PATH_MAX];
    char hsm_module[PATH_MAX];
    char hsm_token_label[33];
    unsigned hsm_sessions;
    bool softhsm;
    char token_directory[PATH_MAX]; /* what SoftHSM reads, "" for other modules */
    char roots_directory[PATH_MAX];
    char intermediates_directory[PATH_MAX];
    char policy_file[PATH_MAX];     /* "" for the policy in the settings */
    char base_directory[PATH_MAX];  /* role base configurations */
    char installer_image[512];
    char service_url[512];
    bool high_assurance;
    bool sealed_only;
    bool require_quote;
    bool require_nonce;
    bool grants_signed;
    bool certificateless_pending;
    char ca_certificate_path[PATH_MAX];
    char pki_url[512];              /* "" for no cRLDistributionPoints */
    char trust_domain[256];         /* "" for no SVIDs */
    char spiffe_id_template[257];
    bool certificate_enrollment;    /* a certificate alone attests a registered machine */
    uint64_t certificate_ms;        /* lifetimes */
    uint64_t svid_ms;
    uint64_t crl_ms;
    uint64_t nonce_ttl_ms;
    uint64_t session_ttl_ms;
    uint64_t challenge_interval_ms;
    uint64_t sessions_max;
    uint64_t pending_max;
    bool dual_control_policy; /* activating a policy needs a quorum */
    char dual_control_roles[DUAL_CONTROL_ROLES_MAX][65];
    size_t dual_control_count;
};

/* Reads the lines of ipc/settings.h. On failure out_name says which setting. Errors: FIELD_MISSING, FIELD_INVALID, TOO_LONG. */
ERRFN signer_settings_read(struct view lines, struct signer_settings *out_settings, const char **out_name);

bool signer_settings_dual_control(const struct signer_settings *settings, const char *role);

#endif
