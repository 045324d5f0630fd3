#include "tests/node/swtpm.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const struct swtpm *swtpm, const char *name, const char *text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", swtpm->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A maker of our own: the system's is for root only. */
static void write_maker(const struct swtpm *swtpm)
{
    char text[512];
    const char *folder = swtpm->folder;
    snprintf(text, sizeof text, "statedir = %s\nsigningkey = %s/signkey.pem\nissuercert = %s/issuercert.pem\ncertserial = %s/certserial\n",
             folder, folder, folder, folder);
    write_file(swtpm, "localca.conf", text);
    write_file(swtpm, "localca.options", "");
    snprintf(text, sizeof text,
             "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = %s/localca.conf\n"
             "create_certs_tool_options = %s/localca.options\n",
             folder, folder);
    write_file(swtpm, "setup.conf", text);
}

static void set_up(const struct swtpm *swtpm, bool certificates)
{
    char command[512];
    write_maker(swtpm);
    snprintf(command, sizeof command,
             "swtpm_setup --tpm2 --tpmstate %s --config %s/setup.conf --pcr-banks sha256,sha384 --overwrite %s >%s/setup.log 2>&1",
             swtpm->folder, swtpm->folder, certificates ? "--create-ek-cert" : "", swtpm->folder);
    assert_int_equal(system(command), 0);
}

static void wait_for_socket(const struct swtpm *swtpm)
{
    char path[96];
    snprintf(path, sizeof path, "%s/socket", swtpm->folder);
    struct stat st;
    for (int i = 0; i < 500 && stat(path, &st) != 0; i++) {
        usleep(10000);
    }
    assert_int_equal(stat(path, &st), 0);
}

void swtpm_start(bool certificates, struct swtpm *out_swtpm)
{
    struct swtpm swtpm = {0};
    snprintf(swtpm.folder, sizeof swtpm.folder, "/tmp/itl-test-swtpm-XXXXXX");
    assert_non_null(mkdtemp(swtpm.folder));
    set_up(&swtpm, certificates);
    char state[128];
    char server[128];
    char control[128];
    snprintf(state, sizeof state, "dir=%s", swtpm.folder);
    snprintf(server, sizeof server, "type=unixio,path=%s/socket", swtpm.folder);
    snprintf(control, sizeof control, "type=unixio,path=%s/socket.ctrl", swtpm.folder);
    swtpm.pid = fork();
    assert_true(swtpm.pid >= 0);
    if (swtpm.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashed leaves nothing running */
        char log[96];
        snprintf(log, sizeof log, "%s/swtpm.log", swtpm.folder);
        if (!freopen(log, "w", stderr)) {
            _exit(127);
        }
        execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server,
               "--ctrl", control, "--flags", "not-need-init,startup-clear", (char *)NULL);
        _exit(127);
    }
    wait_for_socket(&swtpm);
    snprintf(swtpm.tcti, sizeof swtpm.tcti, "swtpm:path=%s/socket", swtpm.folder);
    setenv("TPM2TOOLS_TCTI", swtpm.tcti, 1);
    *out_swtpm = swtpm;
}

void swtpm_stop(struct swtpm *swtpm)
{
    kill(swtpm->pid, SIGTERM);
    waitpid(swtpm->pid, NULL, 0);
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", swtpm->folder);
    assert_int_equal(system(command), 0);
}

void swtpm_run(const struct swtpm *swtpm, const char *command)
{
    setenv("TPM2TOOLS_TCTI", swtpm->tcti, 1);
    char whole[2048];
    snprintf(whole, sizeof whole, "cd %s && ( %s ) >run.log 2>&1", swtpm->folder, command);
    int status = system(whole);
    if (status != 0) {
        snprintf(whole, sizeof whole, "cat %s/run.log >&2", swtpm->folder);
        int ignored = system(whole);
        (void)ignored;
        fail_msg("command failed: %s", command);
    }
}
