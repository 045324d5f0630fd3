#include "config/config.h"

#include "base/fd.h"
#include "config/complete.h"
#include "config/environment.h"
#include "config/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8 };

static void copy_problem(struct config_problem *out_problem, const struct yaml_problem *problem)
{
    _Static_assert(sizeof out_problem->text == sizeof problem->text &&
                       sizeof out_problem->path == sizeof problem->path,
                   "the texts fit");
    memcpy(out_problem->text, problem->text, sizeof problem->text);
    memcpy(out_problem->path, problem->path, sizeof problem->path);
    out_problem->line = problem->line;
    out_problem->column = problem->column;
}

static ERRFN read_document(struct config *config, struct view yaml,
                           struct config_problem *out_problem)
{
    static const struct yaml_limits limits = {
        .bytes_max = CONFIG_FILE_MAX_BYTES, .depth_max = DEPTH_MAX, .documents_max = 1};
    struct yaml_problem problem = {0};
    AUTO(yaml_tree) tree = NULL;
    err_t e = yaml_tree_read(yaml, &limits, &tree, &problem);
    if (IS_OK(e)) {
        e = config_store_document(config, tree, &problem);
    }
    if (IS_E(e, YAML_INVALID)) {
        copy_problem(out_problem, &problem);
        return E(CONFIG_INVALID);
    }
    return e;
}

ERRFN config_parse(struct view yaml, char *const *environment, struct config **out_config,
                   struct config_problem *out_problem)
{
    memset(out_problem, 0, sizeof *out_problem);
    AUTO(config) config = calloc(1, sizeof *config);
    ENSURE(config, NO_MEMORY);
    config_defaults(config);
    TRY(read_document(config, yaml, out_problem));
    TRY(config_environment_apply(config, environment, out_problem));
    TRY(config_complete(config, environment, out_problem));
    *out_config = STEAL(config);
    return OK;
}

ERRFN config_load(const char *path, struct config **out_config, struct config_problem *out_problem)
{
    memset(out_problem, 0, sizeof *out_problem);
    AUTO(buf) content = NULL;
    err_t e = fd_read_file(path, CONFIG_FILE_MAX_BYTES, &content);
    if (IS_E(e, TOO_LONG)) {
        snprintf(out_problem->text, sizeof out_problem->text, "longer than %d bytes",
                 CONFIG_FILE_MAX_BYTES);
        return E(CONFIG_INVALID);
    }
    if (!IS_OK(e)) {
        snprintf(out_problem->text, sizeof out_problem->text,
                 "the file can't be read; check that it exists and who may read it");
        return E(CONFIG_UNREADABLE);
    }
    return config_parse(buf_view(content), environ, out_config, out_problem);
}

void config_free(struct config *config)
{
    free(config);
}
