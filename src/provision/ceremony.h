/* What the steps of the ceremony share: the configuration and what the operator asked for. */
#ifndef ITL_PROVISION_CEREMONY_H
#define ITL_PROVISION_CEREMONY_H

#include "config/config.h"
#include "provision/place.h"
#include "sandbox/sandbox.h"

enum ceremony_mode {
    CEREMONY_NONE = 0,
    CEREMONY_PROVISION, /* make what is missing */
    CEREMONY_PROBE,     /* modules, tokens, PINs, mechanisms, keys; makes nothing */
    CEREMONY_VERIFY     /* what a start would check: the above and the files; makes nothing */
};

struct ceremony {
    const struct config *config;
    enum ceremony_mode mode;
    bool make_pins;
    bool init_tokens;
    bool renew_tls;
    struct sandbox_account signer;
    struct sandbox_account keyholder;
};

/* Files that a token's process makes and the parent writes, because the folders are not the token
 * account's. */
enum artifact {
    ARTIFACT_CA_CERTIFICATE = 0,
    ARTIFACT_DATABASE_KEY,
    ARTIFACT_TLS_CHAIN,
    ARTIFACT_TLS_REQUEST,
    ARTIFACT_COUNT
};

/* Path, owner and permissions of an artifact. Errors: TOO_LONG. */
ERRFN artifact_path(const struct ceremony *c, enum artifact artifact,
                    char out_path[static CONFIG_PATH_SIZE]);
struct owner artifact_owner(const struct ceremony *c, enum artifact artifact);
mode_t artifact_mode(enum artifact artifact);

/* The accounts of the configuration when run as root, the caller otherwise. Says what is wrong. */
ERRFN ceremony_accounts(struct ceremony *c);

/* Folders of the state directory. */
ERRFN ceremony_folders(const struct ceremony *c);

#endif
