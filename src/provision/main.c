/* itl-provision: the ceremony that makes folders, PINs, tokens, keys and certificates, or checks
 * them. What exists is verified and kept. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/secret.h"
#include "config/config.h"
#include "provision/ceremony.h"
#include "provision/plan.h"
#include "provision/say.h"

static const char usage[] =
    "usage: itl-provision --config FILE [--make-pins] [--init-tokens] [--renew-tls]\n"
    "       itl-provision --config FILE --probe | --verify\n"
    "\n"
    "Makes what the appliance needs and does not have yet; what exists is checked and kept.\n"
    "\n"
    "  --make-pins    make missing PIN files, for the user (pin_file) and security officer "
    "(pin_file.officer)\n"
    "  --init-tokens  initialise missing tokens; for SoftHSM. A vendor's token is initialised with "
    "its own tool\n"
    "  --renew-tls    make the TLS certificate and request again, for the present listen.names\n"
    "  --probe        check modules, tokens, PINs, mechanisms and keys; makes nothing\n"
    "  --verify       check all that a start of the appliance checks; makes nothing\n";

enum { EXIT_USAGE = 64 }; /* EX_USAGE of sysexits.h */

struct arguments {
    const char *config_path;
    struct ceremony ceremony;
    bool help;
};

static bool set_mode(struct ceremony *c, enum ceremony_mode mode)
{
    bool first = c->mode == CEREMONY_NONE || c->mode == mode;
    c->mode = mode;
    return first;
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"make-pins", no_argument, NULL, 'p'},
        {"init-tokens", no_argument, NULL, 'i'},  {"renew-tls", no_argument, NULL, 'r'},
        {"probe", no_argument, NULL, 'b'},        {"verify", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            a->config_path = optarg;
            break;
        case 'p':
            a->ceremony.make_pins = true;
            break;
        case 'i':
            a->ceremony.init_tokens = true;
            break;
        case 'r':
            a->ceremony.renew_tls = true;
            break;
        case 'b':
            good = good && set_mode(&a->ceremony, CEREMONY_PROBE);
            break;
        case 'v':
            good = good && set_mode(&a->ceremony, CEREMONY_VERIFY);
            break;
        case 'h':
            a->help = true;
            break;
        default:
            good = false;
        }
    }
    bool making = a->ceremony.make_pins || a->ceremony.init_tokens || a->ceremony.renew_tls;
    good = good && optind == argc && (a->ceremony.mode == CEREMONY_NONE || !making);
    if (a->ceremony.mode == CEREMONY_NONE) {
        a->ceremony.mode = CEREMONY_PROVISION;
    }
    return a->help || (good && a->config_path);
}

static ERRFN read_config(const char *path, struct config **out_config)
{
    struct config_problem problem = {0};
    err_t err = config_load(path, out_config, &problem);
    if (IS_OK(err)) {
        return OK;
    }
    if (problem.line > 0) {
        fprintf(stderr, "itl-provision: %s:%u:%u: %s: %s\n", path, problem.line, problem.column,
                problem.path, problem.text);
    } else {
        fprintf(stderr, "itl-provision: %s: %s: %s\n", path, problem.path, problem.text);
    }
    return err;
}

static ERRFN run_tokens(const struct ceremony *c)
{
    struct token_plan ca = plan_ca(c);
    struct token_plan tls = plan_tls(c);
    err_t ca_err = token_run(c, &ca);
    if (!IS_OK(ca_err) && c->mode == CEREMONY_PROVISION) {
        return ca_err;
    }
    err_t tls_err = token_run(c, &tls); /* a check reports on both */
    return IS_OK(ca_err) ? tls_err : ca_err;
}

static void say_what_next(const struct ceremony *c)
{
    if (c->make_pins) {
        say("next", "move the security officer's PINs (%s.officer, %s.officer) off this machine",
            c->config->hsm.ca.pin_file, c->config->hsm.tls.pin_file);
    }
    if (c->mode == CEREMONY_PROVISION) {
        say("next",
            "put base configurations into %s, then start itl-attestd; clients trust "
            "%s/tls/chain.pem or the pin",
            c->config->machine_config.base_directory, c->config->state_directory);
        say("next", "back up the tokens and %s together: neither is of use without the other",
            c->config->database.key_file);
    }
}

static ERRFN run(struct arguments *a)
{
    TRY(secret_setup());
    AUTO(config) config = NULL;
    TRY(read_config(a->config_path, &config));
    struct ceremony *c = &a->ceremony;
    c->config = config;
    TRY(ceremony_accounts(c));
    if (c->mode == CEREMONY_PROVISION) {
        TRY(ceremony_folders(c));
    }
    TRY(run_tokens(c));
    say_what_next(c);
    return OK;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    umask(022);
    if (!parse_arguments(argc, argv, &arguments)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (arguments.help) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    err_t err = run(&arguments);
    if (!IS_OK(err)) {
        fputs("itl-provision: not everything is in order; what was made so far is kept\n", stderr);
        return EXIT_FAILURE;
    }
    say("done", "everything is in order");
    return EXIT_SUCCESS;
}
