#include "supervisor/prepare.h"

#include "base/log.h"
#include "base/secret.h"
#include "config/softhsm.h"
#include "supervisor/console.h"
#include "supervisor/listen.h"
#include "supervisor/settings.h"
#include "supervisor/spawn.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

static bool complain(err_t why, const char *what)
{
    fprintf(stderr, "itl-attestd: %s: %s\n", what, err_text(why));
    return false;
}

/* High-assurance mode refuses to start with anything weaker; without it every weakness is shown for as long as it lasts. */
static bool check_assurance(struct supervisor *s)
{
    s->downgrade_count = config_high_assurance_violations(s->config, s->downgrades);
    if (!s->config->high_assurance || s->downgrade_count == 0) {
        return true;
    }
    for (size_t i = 0; i < s->downgrade_count; i++) {
        fprintf(stderr, "itl-attestd: high-assurance mode does not allow %s: %s\n", s->downgrades[i].setting,
                s->downgrades[i].why);
    }
    fprintf(stderr, "itl-attestd: correct these settings, or set high_assurance: false, which is then shown everywhere\n");
    return false;
}

static bool find_binaries(struct supervisor *s)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0) {
        return complain(err_from_errno(errno), "/proc/self/exe");
    }
    path[len] = '\0';
    snprintf(s->binaries, sizeof s->binaries, "%s", dirname(path));
    return true;
}

static const char *account_name(const struct config *c, enum child_kind kind)
{
    switch (kind) {
    case CHILD_FRONT:
        return c->accounts.front;
    case CHILD_KEYHOLDER:
    case CHILD_MODULE_TLS:
        return c->accounts.keyholder;
    case CHILD_SIGNER:
    case CHILD_MODULE_CA:
        return c->accounts.signer;
    case CHILD_COURIER:
        return c->accounts.courier;
    case CHILD_COUNT:
        break;
    }
    return "";
}

const char *child_name(enum child_kind kind)
{
    static const char *const names[CHILD_COUNT] = {"module-ca", "module-tls", "courier", "keyholder", "signer", "front"};
    return names[kind];
}

/* As root every child has an account of its own; otherwise all keep ours. */
static bool find_accounts(struct supervisor *s)
{
    s->privileged = geteuid() == 0;
    bool isolated = s->config->hsm.isolation == CONFIG_ISOLATION_PROCESS;
    for (size_t i = 0; i < CHILD_COUNT; i++) {
        struct child *child = &s->children[i];
        child->kind = (enum child_kind)i;
        child->name = child_name(child->kind);
        bool module = child->kind == CHILD_MODULE_CA || child->kind == CHILD_MODULE_TLS;
        child->state = module && !isolated ? CHILD_ABSENT : CHILD_DOWN;
        child->account = (struct sandbox_account){.uid = getuid(), .gid = getgid()};
        if (!s->privileged) {
            continue;
        }
        const char *name = account_name(s->config, child->kind);
        err_t found = sandbox_account_find(name, &child->account);
        if (!IS_OK(found)) {
            fprintf(stderr, "itl-attestd: account %s of %s: %s\n", name, child->name, err_text(found));
            return false;
        }
        child->account.change = true;
    }
    return true;
}

static bool make_folder(const char *path, mode_t mode, const struct sandbox_account *owner)
{
    if (mkdir(path, mode) != 0 && errno != EEXIST) {
        fprintf(stderr, "itl-attestd: cannot make %s: %s\n", path, strerror(errno));
        return false;
    }
    if (chmod(path, mode) != 0 || (owner && owner->change && chown(path, owner->uid, owner->gid) != 0)) {
        fprintf(stderr, "itl-attestd: cannot set the owner of %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

/* The module's process makes its socket there; the supervisor, without the capability to pass permissions by, looks at the socket and
 * removes it as the folder's group. */
static bool make_socket_folder(const char *path, const struct sandbox_account *module)
{
    struct sandbox_account owner = *module;
    owner.gid = getgid();
    return make_folder(path, module->change ? 0770 : 0700, &owner);
}

static bool make_folders(struct supervisor *s)
{
    if (!make_folder(s->config->runtime_directory, 0755, NULL)) {
        return false;
    }
    for (enum child_kind kind = CHILD_MODULE_CA; kind <= CHILD_MODULE_TLS; kind++) {
        char path[PATH_MAX];
        spawn_module_socket(s, kind, path);
        if (s->children[kind].state != CHILD_ABSENT && !make_socket_folder(dirname(path), &s->children[kind].account)) {
            return false;
        }
    }
    return true;
}

/* Once, while we may still read what belongs to other accounts. */
static bool find_token_directory(const struct config_token *token, char out_path[static CONFIG_PATH_SIZE])
{
    err_t found = softhsm_token_directory(token, out_path);
    if (!IS_OK(found)) {
        fprintf(stderr, "itl-attestd: SOFTHSM2_CONF (%s): %s\n", softhsm_settings_path(token),
                IS_E(found, CONFIG_INVALID) ? "has no directories.tokendir of at most 255 characters"
                                            : "cannot be read; run itl-provision, or correct the path");
    }
    return IS_OK(found);
}

/* Reads each PIN once, so that a wrong file is found before anything runs. */
static bool check_files(const struct supervisor *s)
{
    const struct config *c = s->config;
    const char *const pins[] = {c->hsm.ca.pin_file, c->hsm.tls.pin_file};
    const char *const names[] = {"hsm.ca.pin_file", "hsm.tls.pin_file"};
    for (size_t i = 0; i < 2; i++) {
        AUTO(secret) pin = NULL;
        err_t read = secret_read_file(pins[i], 255, &pin);
        if (!IS_OK(read)) {
            fprintf(stderr, "itl-attestd: %s (%s): %s\n", names[i], pins[i],
                    IS_E(read, CONFIG_INVALID) ? "empty, or readable by others than its owner; chmod 600 it"
                                               : "cannot be read; run itl-provision, or correct the path");
            return false;
        }
    }
    char chain[PATH_MAX];
    settings_chain_path(c, chain);
    if (access(chain, R_OK) != 0) {
        fprintf(stderr, "itl-attestd: no TLS certificate at %s; run itl-provision --config FILE first\n", chain);
        return false;
    }
    return true;
}

static bool open_signals(struct supervisor *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signal_fd >= 0 || complain(err_from_errno(errno), "signalfd");
}

struct path_list {
    struct sandbox_path paths[SANDBOX_PATHS_MAX];
    char texts[SANDBOX_PATHS_MAX][PATH_MAX];
    size_t count;
};

static void allow(struct path_list *list, const char *path, bool write, bool execute)
{
    if (path[0] == '\0' || access(path, F_OK) != 0 || list->count == SANDBOX_PATHS_MAX) {
        return; /* what does not exist can't be allowed; whoever needs it will name it */
    }
    char *text = list->texts[list->count];
    snprintf(text, PATH_MAX, "%s", path);
    list->paths[list->count++] = (struct sandbox_path){.path = text, .write = write, .execute = execute};
}

static void allow_folder_of(struct path_list *list, const char *path, bool write)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    allow(list, dirname(copy), write, false);
}

static void allow_token(struct path_list *list, const struct config_token *token, const char *directory)
{
    allow(list, directory, true, false);
    if (softhsm_settings_path(token)) {
        allow_folder_of(list, softhsm_settings_path(token), false);
    }
    allow_folder_of(list, token->module, false);
    allow_folder_of(list, token->pin_file, false);
}

/* What the supervisor and, while they start, its children reach by path. */
static void list_paths(const struct supervisor *s, struct path_list *list)
{
    const struct config *c = s->config;
    static const char *const system_folders[] = {"/usr", "/lib", "/lib64", "/bin"};
    for (size_t i = 0; i < sizeof system_folders / sizeof system_folders[0]; i++) {
        allow(list, system_folders[i], false, true);
    }
    allow(list, "/etc", false, false);
    allow(list, "/proc", false, false);
    allow(list, "/dev/null", true, false);
    allow(list, "/dev/urandom", false, false);
    allow(list, s->binaries, false, true);
    allow(list, c->state_directory, true, false);
    allow(list, c->runtime_directory, true, false);
    allow_token(list, &c->hsm.ca, s->ca_token_directory);
    allow_token(list, &c->hsm.tls, s->tls_token_directory);
    allow_folder_of(list, c->database.path, true);
    allow_folder_of(list, c->database.key_file, false);
    allow(list, c->machine_config.base_directory, false, false);
    allow(list, c->ek_trust.roots_directory, false, false);
    allow(list, c->ek_trust.intermediates_directory, false, false);
    allow(list, c->policy_file, false, false);
}

static bool enter_sandbox(struct supervisor *s)
{
    static struct path_list list;
    list.count = 0;
    list_paths(s, &list);
    struct sandbox_settings sandbox = {.profile = SANDBOX_SUPERVISOR, .paths = list.paths, .path_count = list.count};
    err_t sealed = s->privileged ? sandbox_drop_supervisor() : sandbox_drop(&(struct sandbox_account){.change = false});
    if (!IS_OK(sealed)) {
        return complain(sealed, "giving up privileges");
    }
    sealed = sandbox_enter(&sandbox);
    return IS_OK(sealed) || complain(sealed, "sandbox");
}

static bool open_sockets(struct supervisor *s)
{
    err_t opened = listen_open(&s->config->listen, &s->listen_fd);
    if (!IS_OK(opened)) {
        fprintf(stderr, "itl-attestd: %s: %s\n", s->config->listen.address, err_text(opened));
        return false;
    }
    opened = console_open(s);
    if (!IS_OK(opened)) {
        fprintf(stderr, "itl-attestd: console socket in %s: %s\n", s->config->runtime_directory, err_text(opened));
        return false;
    }
    opened = spawn_links(s);
    return IS_OK(opened) || complain(opened, "socketpair");
}

bool prepare(struct supervisor *s)
{
    log_open(STDERR_FILENO, "supervisor", s->config->log_level);
    err_t limited = secret_setup();
    if (!IS_OK(limited)) {
        return complain(limited, "libsodium");
    }
    limited = sandbox_limits(SANDBOX_SUPERVISOR);
    if (!IS_OK(limited)) {
        return complain(limited, "resource limits");
    }
    return check_assurance(s) && find_binaries(s) && find_accounts(s) && check_files(s) &&
           find_token_directory(&s->config->hsm.ca, s->ca_token_directory) &&
           find_token_directory(&s->config->hsm.tls, s->tls_token_directory) && make_folders(s) &&
           open_sockets(s) && open_signals(s) && enter_sandbox(s);
}
