#include "tests/https/server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned read_port(int fd)
{
    char text[16] = "";
    size_t len = 0;
    while (len < sizeof text - 1 && read(fd, text + len, 1) == 1 && text[len] != '\n') {
        len++;
    }
    return (unsigned)strtoul(text, NULL, 10);
}

void server_start(const char *script, const char *argument, struct server *out_server)
{
    struct server server = {0};
    snprintf(server.folder, sizeof server.folder, "/tmp/itl-test-server-XXXXXX");
    assert_non_null(mkdtemp(server.folder));
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (server.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashed leaves nothing running */
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        const char *last = argument[0] ? argument : NULL;
        execl("/usr/bin/python3", "python3", script, server.folder, last, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    server.port = read_port(ends[0]);
    close(ends[0]);
    assert_true(server.port > 0);
    snprintf(server.url, sizeof server.url, "https://127.0.0.1:%u", server.port);
    *out_server = server;
}

void server_stop(struct server *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", server->folder);
    assert_int_equal(system(command), 0);
}

const char *server_file(const struct server *server, const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", server->folder, name);
    return path;
}

unsigned server_requests(const struct server *server, const char *start)
{
    FILE *log = fopen(server_file(server, "requests"), "r");
    if (!log) {
        return 0;
    }
    unsigned count = 0;
    char line[256];
    while (fgets(line, sizeof line, log)) {
        count += strncmp(line, start, strlen(start)) == 0;
    }
    fclose(log);
    return count;
}
