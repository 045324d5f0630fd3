#include "provision/store.h"

#include <stdio.h>
#include <string.h>

#include "provision/say.h"

enum { STORE_CONFIG_MAX_BYTES = 16 * 1024 };

static const char *config_path(const struct config_token *token)
{
    for (size_t i = 0; i < token->environment_count; i++) {
        if (strcmp(token->environment[i].name, "SOFTHSM2_CONF") == 0) {
            return token->environment[i].value;
        }
    }
    return NULL;
}

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

/* The value of "directories.tokendir = …"; the last one counts, as for SoftHSM. */
static ERRFN token_folder(struct buf *config, char out_folder[static CONFIG_PATH_SIZE])
{
    bool found = false;
    char *rest = NULL;
    TRY(buf_put_u8(config, '\0'));
    for (char *line = strtok_r((char *)config->data, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        char value[CONFIG_PATH_SIZE];
        if (sscanf(line, " directories.tokendir = %255s", value) == 1) {
            snprintf(out_folder, CONFIG_PATH_SIZE, "%s", value);
            found = true;
        }
    }
    ENSURE(found, CONFIG_INVALID);
    return OK;
}

ERRFN store_prepare(const struct ceremony *c, const struct config_token *token, const char *name,
                    struct owner owner)
{
    const char *path = config_path(token);
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
    AUTO(buf) config = NULL;
    TRY(place_read(path, STORE_CONFIG_MAX_BYTES, &config));
    if (!config) {
        return say_problem(E(CONFIG_UNREADABLE), "SOFTHSM2_CONF=%s (--init-tokens makes it)", path);
    }
    char folder[CONFIG_PATH_SIZE];
    err_t err = token_folder(config, folder);
    if (!IS_OK(err)) {
        return say_problem(err, "%s has no directories.tokendir of at most 255 characters", path);
    }
    return place_folder(folder, owner, 0700);
}
