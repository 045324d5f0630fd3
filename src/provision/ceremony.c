#include "provision/ceremony.h"

#include <stdio.h>
#include <unistd.h>

#include "provision/say.h"

static struct owner owner_of(const struct sandbox_account *account)
{
    return (struct owner){account->uid, account->gid};
}

static ERRFN find_account(const char *name, const char *setting,
                          struct sandbox_account *out_account)
{
    if (geteuid() != 0) {
        *out_account = (struct sandbox_account){
            .change = false, .uid = geteuid(), .gid = getegid(), .die_with_parent = true};
        return OK;
    }
    err_t err = sandbox_account_find(name, out_account);
    out_account->die_with_parent = true;
    return IS_OK(err) ? OK : say_problem(err, "%s: %s", setting, name);
}

ERRFN ceremony_accounts(struct ceremony *c)
{
    const struct config_accounts *names = &c->config->accounts;
    TRY(find_account(names->signer, "accounts.signer", &c->signer));
    TRY(find_account(names->keyholder, "accounts.keyholder", &c->keyholder));
    return OK;
}

static ERRFN below_state(const struct ceremony *c, const char *name,
                         char out_path[static CONFIG_PATH_SIZE])
{
    int len = snprintf(out_path, CONFIG_PATH_SIZE, "%s/%s", c->config->state_directory, name);
    ENSURE(len > 0 && len < CONFIG_PATH_SIZE, TOO_LONG);
    return OK;
}

ERRFN artifact_path(const struct ceremony *c, enum artifact artifact,
                    char out_path[static CONFIG_PATH_SIZE])
{
    switch (artifact) {
    case ARTIFACT_CA_CERTIFICATE:
        return below_state(c, "pki/enrollment-ca.pem", out_path);
    case ARTIFACT_DATABASE_KEY:
        snprintf(out_path, CONFIG_PATH_SIZE, "%s", c->config->database.key_file);
        return OK;
    case ARTIFACT_TLS_CHAIN:
        return below_state(c, "tls/chain.pem", out_path);
    case ARTIFACT_TLS_REQUEST:
        return below_state(c, "tls/server.csr", out_path);
    case ARTIFACT_COUNT:
        break;
    }
    return E(BUG);
}

struct owner artifact_owner(const struct ceremony *c, enum artifact artifact)
{
    return artifact == ARTIFACT_DATABASE_KEY ? owner_of(&c->signer) : OWNER_ROOT;
}

mode_t artifact_mode(enum artifact artifact)
{
    return artifact == ARTIFACT_DATABASE_KEY ? 0600 : 0644;
}

static ERRFN place_parent_of(const char *file, struct owner owner, mode_t mode)
{
    char folder[CONFIG_PATH_SIZE];
    TRY(place_parent(file, folder, sizeof folder));
    return place_folder(folder, owner, mode);
}

ERRFN ceremony_folders(const struct ceremony *c)
{
    char path[CONFIG_PATH_SIZE];
    struct owner signer = owner_of(&c->signer);
    TRY(place_folder(c->config->state_directory, OWNER_ROOT, 0755));
    TRY(below_state(c, "pki", path));
    TRY(place_folder(path, OWNER_ROOT, 0755));
    TRY(below_state(c, "tls", path));
    TRY(place_folder(path, OWNER_ROOT, 0755));
    TRY(place_parent_of(c->config->database.path, signer, 0700));
    /* Base configurations hold cluster secrets: written by root, read by the signer. */
    return place_folder(c->config->machine_config.base_directory, (struct owner){0, signer.gid},
                        0750);
}
