/* itl-tpm-register: proves with this machine's TPM what it is, and fetches its configuration. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "node/agent.h"

static void on_stop(int signal_number)
{
    (void)signal_number;
    agent_stop();
}

/* The kernel's resource manager flushes what this process had loaded. */
static void on_tpm_deadline(int signal_number)
{
    (void)signal_number;
    static const char text[] = "itl-tpm-register: the TPM did not answer in time [tpm_failed]\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(AGENT_FAILED);
}

static void handle(int signal_number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(signal_number, &action, NULL);
}

static void set_up_process(void)
{
    prctl(PR_SET_DUMPABLE, 0);
    umask(077);
    setenv("TSS2_LOG", "all+none", 0); /* tpm2-tss would write its own lines; ours say it */
    handle(SIGTERM, on_stop);
    handle(SIGINT, on_stop);
    handle(SIGALRM, on_tpm_deadline);
    handle(SIGPIPE, SIG_IGN);
}

static int usage_error(err_t e, const char *subject)
{
    fprintf(stderr, "itl-tpm-register: %s [%s] %s\nTry --help.\n", err_text(e), err_reason(e),
            subject);
    return AGENT_USAGE;
}

int main(int argc, char **argv)
{
    set_up_process();
    struct options options;
    const char *subject = "";
    err_t e = options_parse(argc, argv, &options, &subject);
    if (!IS_OK(e)) {
        return usage_error(e, subject);
    }
    if (options.mode == OPTIONS_HELP) {
        fputs(options_usage(), stdout);
        return EXIT_SUCCESS;
    }
    if (options.mode == OPTIONS_VERSION) {
        puts("itl-tpm-register " ITL_VERSION);
        return EXIT_SUCCESS;
    }
    if (!IS_OK(secret_setup())) {
        return AGENT_FAILED;
    }
    return (int)agent_run(&options);
}
