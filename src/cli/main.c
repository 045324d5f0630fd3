/* attestation: the operator's command line. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "cli/command.h"

static int usage_error(err_t e, const char *subject)
{
    fprintf(stderr, "attestation: %s [%s] %s\nTry attestation --help.\n", err_text(e),
            err_reason(e), subject);
    return EXIT_USAGE;
}

static enum exit_status exit_status_of(err_t e, const struct refusal *refusal)
{
    if (IS_E(e, REFUSED)) {
        return refusal->status == 401 ? EXIT_NOT_LOGGED_IN : EXIT_REFUSED;
    }
    static const err_t unreachable[] = {{ERR_CODE_TLS_CONNECT},   {ERR_CODE_TLS_PIN},
                                        {ERR_CODE_TLS_UNTRUSTED}, {ERR_CODE_TIMEOUT},
                                        {ERR_CODE_PEER_GONE},     {ERR_CODE_ANSWER_INVALID}};
    static const err_t not_logged_in[] = {{ERR_CODE_NOT_LOGGED_IN},
                                          {ERR_CODE_CREDENTIAL_INVALID},
                                          {ERR_CODE_CREDENTIAL_EXPIRED},
                                          {ERR_CODE_CREDENTIAL_PERMISSIONS}};
    for (size_t i = 0; i < sizeof unreachable / sizeof unreachable[0]; i++) {
        if (e.code == unreachable[i].code) {
            return EXIT_UNREACHABLE;
        }
    }
    for (size_t i = 0; i < sizeof not_logged_in / sizeof not_logged_in[0]; i++) {
        if (e.code == not_logged_in[i].code) {
            return EXIT_NOT_LOGGED_IN;
        }
    }
    return EXIT_REFUSED;
}

static int failure(err_t e, const struct refusal *refusal)
{
    if (IS_E(e, REFUSED)) {
        fprintf(stderr, "attestation: refused: %s [%s]\n", refusal->detail, refusal->reason);
    } else {
        fprintf(stderr, "attestation: %s [%s]\n", err_text(e), err_reason(e));
    }
    return (int)exit_status_of(e, refusal);
}

/* The command, when the words and options on the line fit it. */
static ERRFN choose(const struct options *options, const struct command **out_command,
                    const char **out_subject)
{
    *out_subject = options->arguments_count > 1 ? options->arguments[1]
                                                : "a command, for example: machine list";
    ENSURE(options->arguments_count >= 2, FIELD_MISSING);
    const struct command *command = command_find(options->arguments[0], options->arguments[1]);
    ENSURE(command, FIELD_UNKNOWN);
    int wanted = 2 + command->subject_count;
    *out_subject = command->subject ? command->subject : "";
    ENSURE(options->arguments_count >= wanted, FIELD_MISSING);
    *out_subject = options->arguments_count > wanted ? options->arguments[wanted] : "";
    ENSURE(options->arguments_count == wanted, FIELD_UNKNOWN);
    *out_subject = options_name(options->given & ~(command->options | OPTIONS_GLOBAL));
    ENSURE(**out_subject == '\0', FIELD_UNKNOWN);
    *out_subject = options_name(command->required & ~options->given);
    ENSURE(**out_subject == '\0', FIELD_MISSING);
    *out_command = command;
    return OK;
}

static int run(const struct command *command, const struct options *options)
{
    struct session session = {0};
    err_t e = session_open(options, &session);
    if (IS_E(e, FIELD_MISSING) || IS_E(e, FIELD_INVALID)) {
        return usage_error(e, "--api-url, --ca, --pin");
    }
    e = IS_OK(e) ? command->run(&session, options) : e;
    int status = IS_OK(e) ? EXIT_DONE : failure(e, &session.refusal);
    session_close(&session);
    return status;
}

int main(int argc, char **argv)
{
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    struct options options;
    const char *subject = "";
    err_t e = options_parse(argc, argv, &options, &subject);
    if (!IS_OK(e)) {
        return usage_error(e, subject);
    }
    if (options.given & OPTION_HELP) {
        command_print_usage(stdout);
        return EXIT_DONE;
    }
    if (options.given & OPTION_VERSION) {
        puts("attestation " ITL_VERSION);
        return EXIT_DONE;
    }
    const struct command *command = NULL;
    e = choose(&options, &command, &subject);
    if (!IS_OK(e)) {
        return usage_error(e, subject);
    }
    json_setup();
    if (!IS_OK(secret_setup())) {
        return EXIT_REFUSED;
    }
    return command->inspect ? (int)command->inspect(&options) : run(command, &options);
}
