#include "config/softhsm.h"

#include "base/fd.h"

#include <stdio.h>
#include <string.h>

enum { SETTINGS_MAX_BYTES = 16 * 1024 };

const char *softhsm_settings_path(const struct config_token *token)
{
    for (size_t i = 0; i < token->environment_count; i++) {
        if (strcmp(token->environment[i].name, "SOFTHSM2_CONF") == 0) {
            return token->environment[i].value;
        }
    }
    return NULL;
}

/* The value of "directories.tokendir = …"; the last one counts, as for SoftHSM. */
static ERRFN find_directory(char *text, char out_path[static CONFIG_PATH_SIZE])
{
    bool found = false;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char value[CONFIG_PATH_SIZE];
        if (sscanf(line, " directories.tokendir = %255s", value) == 1) {
            snprintf(out_path, CONFIG_PATH_SIZE, "%s", value);
            found = true;
        }
    }
    ENSURE(found, CONFIG_INVALID);
    return OK;
}

ERRFN softhsm_token_directory(const struct config_token *token, char out_path[static CONFIG_PATH_SIZE])
{
    const char *path = softhsm_settings_path(token);
    if (!path) {
        out_path[0] = '\0';
        return OK;
    }
    AUTO(buf) content = NULL;
    AUTO(buf) text = NULL;
    TRY(fd_read_file(path, SETTINGS_MAX_BYTES, &content));
    TRY(buf_new(SETTINGS_MAX_BYTES + 1, &text));
    TRY(buf_put(text, buf_view(content)));
    TRY(buf_put_u8(text, '\0'));
    return find_directory((char *)text->data, out_path);
}
