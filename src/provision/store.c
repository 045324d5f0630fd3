#include "provision/store.h"

#include <stdio.h>

#include "config/softhsm.h"
#include "provision/say.h"

enum { STORE_CONFIG_MAX_BYTES = 16 * 1024 };

static ERRFN write_config(const struct ceremony *c, const char *path, const char *name)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(STORE_CONFIG_MAX_BYTES, &text));
    TRY(buf_printf(text,
                   "directories.tokendir = %s/tokens/%s\n"
                   "objectstore.backend = file\n"
                   "log.level = ERROR\n"
                   "slots.removable = false\n",
                   c->config->state_directory, name));
    return place_file(path, buf_view(text), OWNER_ROOT, 0644);
}

ERRFN store_prepare(const struct ceremony *c, const struct config_token *token, const char *name,
                    struct owner owner)
{
    const char *path = softhsm_settings_path(token);
    if (!path) {
        return OK;
    }
    if (!place_exists(path) && c->init_tokens) {
        char folder[CONFIG_PATH_SIZE];
        TRY(place_parent(path, folder, sizeof folder));
        if (!place_exists(folder)) {
            TRY(place_folder(folder, OWNER_ROOT, 0755));
        }
        TRY(write_config(c, path, name));
    }
    char folder[CONFIG_PATH_SIZE];
    err_t err = softhsm_token_directory(token, folder);
    if (IS_E(err, CONFIG_UNREADABLE)) {
        return say_problem(err, "SOFTHSM2_CONF=%s (--init-tokens makes it)", path);
    }
    if (!IS_OK(err)) {
        return say_problem(err, "%s has no directories.tokendir of at most 255 characters", path);
    }
    return place_folder(folder, owner, 0700);
}
