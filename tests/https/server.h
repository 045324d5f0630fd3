/* Starts a test server written in Python and stops it again. */
#ifndef ITL_TESTS_HTTPS_SERVER_H
#define ITL_TESTS_HTTPS_SERVER_H

#include <sys/types.h>

struct server {
    pid_t pid;
    unsigned port;
    char folder[64]; /* with the certificates and the log of requests */
    char url[64];
};

/* Runs `script` with a new folder and one more argument ("" for none); it says its port on the
 * first line. Fails the test when it does not come up. */
void server_start(const char *script, const char *argument, struct server *out_server);

/* Also removes the folder. */
void server_stop(struct server *server);

/* "<folder>/<name>" in one of a few static places. */
const char *server_file(const struct server *server, const char *name);

/* How many lines the log of requests has that begin with `start`. */
unsigned server_requests(const struct server *server, const char *start);

#endif
