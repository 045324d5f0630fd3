/* itl-attestd: the appliance's supervisor, and the administrator's commands on its console. */
#include "base/secret.h"
#include "supervisor/command.h"
#include "supervisor/supervisor.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONFIG "/etc/itl-attestation/appliance.yaml"

static const char usage[] =
    "usage: itl-attestd [--config FILE] COMMAND\n"
    "\n"
    "  run                     start the appliance and stay in the foreground\n"
    "  check-config            read the configuration and say what is wrong with it\n"
    "  status                  is it ready, which processes run\n"
    "  breakglass open --minutes N --reason \"...\" [--output FILE]\n"
    "                          let an operator in for N minutes; every act is logged as SYSTEM\n"
    "  breakglass close        end that now\n"
    "  tls csr                 print the certificate request of the TLS key\n"
    "  tls install FILE        use this certificate chain (PEM, leaf first), without a restart\n"
    "  audit verify            verify the whole audit chain\n"
    "\n"
    "FILE defaults to " DEFAULT_CONFIG "\n";

struct options {
    const char *config;
    const char *minutes;
    const char *reason;
    const char *output;
    const char *words[3];
    int word_count;
};

static bool parse(int argc, char **argv, struct options *out_options)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'}, {"minutes", required_argument, NULL, 'm'},
                                          {"reason", required_argument, NULL, 'r'}, {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    struct options o = {.config = DEFAULT_CONFIG};
    int option;
    while ((option = getopt_long(argc, argv, "c:m:r:o:h", longs, NULL)) != -1) {
        switch (option) {
        case 'c':
            o.config = optarg;
            break;
        case 'm':
            o.minutes = optarg;
            break;
        case 'r':
            o.reason = optarg;
            break;
        case 'o':
            o.output = optarg;
            break;
        default:
            return false;
        }
    }
    while (optind < argc && o.word_count < 3) {
        o.words[o.word_count++] = argv[optind++];
    }
    *out_options = o;
    return optind == argc && o.word_count > 0;
}

static bool is(const struct options *o, const char *first, const char *second)
{
    return strcmp(o->words[0], first) == 0 && (second ? o->word_count > 1 && strcmp(o->words[1], second) == 0 : o->word_count == 1);
}

static struct config *load(const char *path)
{
    struct config *config = NULL;
    struct config_problem problem;
    err_t loaded = config_load(path, &config, &problem);
    if (IS_OK(loaded)) {
        return config;
    }
    if (problem.line > 0) {
        fprintf(stderr, "%s:%u:%u: %s: %s\n", path, problem.line, problem.column, problem.path, problem.text);
    } else {
        fprintf(stderr, "%s: %s%s%s\n", path, problem.path, problem.path[0] ? ": " : "", problem.text);
    }
    return NULL;
}

static int check_config(const struct config *config, const char *path)
{
    struct config_violation violations[CONFIG_VIOLATIONS_MAX];
    size_t count = config_high_assurance_violations(config, violations);
    for (size_t i = 0; i < count; i++) {
        printf("%s: %s\n", violations[i].setting, violations[i].why);
    }
    if (count > 0 && config->high_assurance) {
        fprintf(stderr, "%s: high-assurance mode does not allow the settings above\n", path);
        return COMMAND_FAILED;
    }
    printf("%s: good; high-assurance mode is %s\n", path, config->high_assurance ? "on" : "OFF");
    return COMMAND_OK;
}

static int run(const struct options *o, const struct config *config)
{
    if (is(o, "run", NULL)) {
        return supervisor_run(config);
    }
    if (is(o, "check-config", NULL)) {
        return check_config(config, o->config);
    }
    if (is(o, "status", NULL)) {
        return command_status(config);
    }
    if (is(o, "breakglass", "open") && o->minutes && o->reason) {
        return command_breakglass_open(config, o->minutes, o->reason, o->output);
    }
    if (is(o, "breakglass", "close")) {
        return command_breakglass_close(config);
    }
    if (is(o, "tls", "csr")) {
        return command_tls_csr(config);
    }
    if (is(o, "tls", "install") && o->word_count == 3) {
        return command_tls_install(config, o->words[2]);
    }
    if (is(o, "audit", "verify")) {
        return command_audit_verify(config);
    }
    fputs(usage, stderr);
    return COMMAND_USAGE;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!parse(argc, argv, &options) || !IS_OK(secret_setup())) {
        fputs(usage, stderr);
        return COMMAND_USAGE;
    }
    struct config *config = load(options.config);
    if (!config) {
        return COMMAND_FAILED;
    }
    int status = run(&options, config);
    config_free(config);
    return status;
}
