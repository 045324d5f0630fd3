/* appliance.yaml: the settings of the whole appliance, read once at start by the supervisor and by
 * itl-provision.
 *
 * One YAML document, at most CONFIG_FILE_MAX_BYTES, no aliases, anchors or tags; unknown and
 * repeated keys, wrong types and values out of range are errors with line, column and the setting's
 * path. Every path is absolute. `appliance/appliance.yaml` in the source tree shows each setting
 * with its default.
 *
 * Environment variables override the file (the reference service had only these). Honoured:
 * ITL_SERVICE_URL, ITL_HIGH_ASSURANCE, ITL_REQUIRE_QUOTE, ITL_REQUIRE_NONCE, ITL_TPM_CA_BUNDLE_DIR,
 * ITL_CONFIG_CACHE_DIR, ITL_INSTALLER_IMAGE, ITL_REQUIRE_ENCRYPTED_DELIVERY,
 * ITL_ENROLLMENT_CERT_DAYS, ITL_DUAL_CONTROL_ROLES (a,b or ["a","b"]), ITL_DUAL_CONTROL_QUORUM, ITL_DUAL_CONTROL_WINDOW_SECONDS. Any other variable
 * whose name starts with ITL_ is an error that names it, unless it asks for what the appliance does
 * anyway (environment.c has the table). */
#ifndef ITL_CONFIG_CONFIG_H
#define ITL_CONFIG_CONFIG_H

#include "base/bytes.h"
#include "base/log.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONFIG_FILE_MAX_BYTES = 256 * 1024, /* room for CONFIG_ALLOWED_HASHES_MAX hashes, twice */
    CONFIG_PATH_SIZE = 256,             /* paths, with their NUL */
    CONFIG_NAME_SIZE = 64,              /* token labels, accounts, roles */
    CONFIG_HOST_SIZE = 256,             /* DNS names have at most 253 (RFC 1035 section 2.3.4) */
    CONFIG_URL_SIZE = 512,
    CONFIG_HASH_SIZE = 97,              /* SHA-384 in hexadecimal and a NUL */
    CONFIG_LISTEN_NAMES_MAX = 16,
    CONFIG_ENVIRONMENT_MAX = 8,
    CONFIG_ALLOWED_HASHES_MAX = 1024,
    CONFIG_ROLES_MAX = 3,
    CONFIG_PCR_BANKS_MAX = 3,
    CONFIG_AK_KEYS_MAX = 6,
    CONFIG_VIOLATIONS_MAX = 16
};

/* Where and what is wrong. line and column start at 1 and are 0 when the fault is not in the file's
 * text (an environment variable, a missing setting). path is the setting ("hsm.ca.pin_file") or the
 * variable's name, and may be empty. */
struct config_problem {
    char text[256];
    unsigned line;
    unsigned column;
    char path[128];
};

struct config_listen {
    char address[CONFIG_HOST_SIZE + 8]; /* as written: host:port or [v6]:port */
    char host[CONFIG_HOST_SIZE];        /* without brackets */
    uint16_t port;
    /* DNS names and IP addresses for the certificate; one at least. */
    char names[CONFIG_LISTEN_NAMES_MAX][CONFIG_HOST_SIZE];
    size_t names_count;
    uint32_t workers;
};

/* Set in the environment of the process that loads the module, before it does. */
struct config_variable {
    char name[CONFIG_NAME_SIZE];
    char value[CONFIG_PATH_SIZE];
};

struct config_token {
    char module[CONFIG_PATH_SIZE];
    char token_label[33];            /* CK_TOKEN_INFO.label has 32 bytes */
    char pin_file[CONFIG_PATH_SIZE]; /* "credential:NAME" is already replaced by
                                        $CREDENTIALS_DIRECTORY/NAME */
    struct config_variable environment[CONFIG_ENVIRONMENT_MAX];
    size_t environment_count;
    uint32_t sessions_max;
};

enum config_isolation {
    CONFIG_ISOLATION_UNSET = 0,
    CONFIG_ISOLATION_NONE,
    CONFIG_ISOLATION_PROCESS
};

struct config_hsm {
    enum config_isolation isolation;
    struct config_token ca;
    struct config_token tls;
};

/* Subject of the enrollment CA's certificate; used by itl-provision only. */
struct config_ca {
    char country[3];
    char organization[CONFIG_NAME_SIZE + 1];
    char common_name[CONFIG_NAME_SIZE + 1];
};

/* Names or numbers as text; used only when started as root. */
struct config_accounts {
    char front[CONFIG_NAME_SIZE];
    char keyholder[CONFIG_NAME_SIZE];
    char signer[CONFIG_NAME_SIZE];
    char courier[CONFIG_NAME_SIZE];
};

/* What happens to an EK without a certificate whose hash is not allowed: refused, or kept waiting
 * for an operator. */
enum config_certificateless {
    CONFIG_CERTIFICATELESS_UNSET = 0,
    CONFIG_CERTIFICATELESS_REFUSE,
    CONFIG_CERTIFICATELESS_PENDING
};

struct config_ek_trust {
    char roots_directory[CONFIG_PATH_SIZE];         /* may be empty */
    char intermediates_directory[CONFIG_PATH_SIZE]; /* may be empty */
    char allowed_hashes[CONFIG_ALLOWED_HASHES_MAX]
                       [CONFIG_HASH_SIZE]; /* 64 or 96 lower-case hex digits */
    size_t allowed_hashes_count;
    enum config_certificateless certificateless;
};

struct config_pcr_bank {
    char bank[8];  /* "sha256", "sha384" or "sha512" */
    uint32_t mask; /* bit i is PCR i, 0 to 23 */
};

struct config_attestation {
    bool require_quote;
    bool require_nonce;
    uint32_t nonce_ttl_s;
    uint32_t session_ttl_s;
    uint32_t challenge_interval_ms;
    /* The inline policy; the values below are not used when policy_file is set. */
    struct config_pcr_bank pcr_selection[CONFIG_PCR_BANKS_MAX];
    size_t pcr_selection_count;
    char ak_keys[CONFIG_AK_KEYS_MAX]
                [12]; /* "P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096" */
    size_t ak_keys_count;
};

struct config_machine_config {
    char base_directory[CONFIG_PATH_SIZE];
    char installer_image[CONFIG_URL_SIZE]; /* may be empty */
    bool sealed_delivery;
};

struct config_dual_control {
    char roles[CONFIG_ROLES_MAX][CONFIG_NAME_SIZE];
    size_t roles_count;
    bool policy; /* activating one needs a quorum too */
    uint32_t quorum;
    uint32_t window_seconds;
};

enum config_grants { CONFIG_GRANTS_UNSET = 0, CONFIG_GRANTS_SIGNED, CONFIG_GRANTS_BEARER };

struct config_database {
    char path[CONFIG_PATH_SIZE];
    char key_file[CONFIG_PATH_SIZE];
};

/* Certificates that the appliance issues. */
struct config_pki {
    uint32_t certificate_days;       /* enrollment certificates */
    uint32_t svid_minutes;
    uint32_t crl_hours;              /* from thisUpdate to nextUpdate */
    char public_url[CONFIG_URL_SIZE]; /* where others find the revocation list; may be empty */
    char trust_domain[CONFIG_HOST_SIZE]; /* of SPIFFE; empty: no SVIDs */
    char spiffe_id_template[CONFIG_HOST_SIZE];
    bool certificate_enrollment;     /* an enrollment certificate alone attests a registered machine */
};

struct config_limits {
    uint32_t requests_per_minute_per_address;
    uint32_t pending_machines_max;
    uint32_t sessions_max;
};

struct config {
    char state_directory[CONFIG_PATH_SIZE];
    char runtime_directory[CONFIG_PATH_SIZE];
    struct config_listen listen;
    char service_url[CONFIG_URL_SIZE]; /* https, without a trailing slash */
    bool high_assurance;
    struct config_hsm hsm;
    struct config_ca ca;
    struct config_accounts accounts;
    struct config_ek_trust ek_trust;
    char policy_file[CONFIG_PATH_SIZE]; /* empty: the inline policy of `attestation` */
    struct config_attestation attestation;
    struct config_machine_config machine_config;
    struct config_dual_control dual_control;
    enum config_grants operator_grants;
    struct config_database database;
    struct config_pki pki;
    struct config_limits limits;
    enum log_level log_level;
};

/* Reads the file, then the environment, fills in defaults and checks the whole. Blocks on the disk.
 * On failure out_config is not written and out_problem says what to do. Errors: CONFIG_UNREADABLE,
 * CONFIG_INVALID, NO_MEMORY. */
ERRFN config_load(const char *path, struct config **out_config, struct config_problem *out_problem);

/* The same from memory; `environment` is a NULL-terminated array of NAME=value, as environ is. */
ERRFN config_parse(struct view yaml, char *const *environment, struct config **out_config,
                   struct config_problem *out_problem);

void config_free(struct config *config);
AUTO_DEFINE(config, struct config, config_free);

/* A setting that is weaker than high-assurance mode allows; both texts are static. */
struct config_violation {
    const char *setting; /* "dual_control.quorum" */
    const char *why;
};

/* Lists them into out_violations and returns how many. Does not look at high_assurance itself: when
 * that is on, one violation refuses the start; when it is off, the list is what /healthz shows as
 * downgrades. Does not look at the disk: that roots_directory really holds a root, and what a
 * policy file says, is for the signer to check. */
size_t
config_high_assurance_violations(const struct config *config,
                                 struct config_violation out_violations[CONFIG_VIOLATIONS_MAX]);

#endif
