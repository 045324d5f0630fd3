/* Plays the supervisor and the signer around the real itl-front and itl-keyholder.
 *
 *   harness prepare STORE                      a SoftHSM token with the TLS key; STORE/public.pem
 *   harness run BIN STORE CHAIN [name=value…]  starts both, prints what happens, obeys lines of
 * stdin: chain FILE, drain MS, drain-keyholder, kill keyholder, start keyholder, restart front,
 *     mute 0|1, garbage, tls-garbage, sign HEX, courier-down, token-down, pids, quit
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/fd.h"
#include "base/text.h"
#include "hsm/ceremony.h"
#include "ipc/settings.h"
#include "stub_signer.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define LABEL  "itl-front-test"
#define PIN    "12345678"

enum { FRONT, KEYHOLDER, CHILDREN };

struct child {
    const char *name;
    pid_t pid;
    struct ipc_channel *control;
};

struct harness {
    const char *binaries;
    const char *store;
    const char *chain;
    char **settings; /* name=value in place of a default */
    int setting_count;
    int listener;
    int tls[2]; /* front's end, keyholder's end */
    int api[2];
    struct child children[CHILDREN];
    bool replaced; /* the keyholder is not the first */
    bool let_go;   /* a child answered a reset */
    struct ipc_channel *signer;
    struct stub stub;
};

static void must(err_t e, const char *what)
{
    if (!IS_OK(e)) {
        printf("failed %s %s\n", what, err_reason(e));
        fflush(stdout);
        _exit(2);
    }
}

static void say(const char *line)
{
    puts(line);
    fflush(stdout);
}

static void use_store(const char *store)
{
    char path[512];
    snprintf(path, sizeof path, "%s/softhsm2.conf", store);
    setenv("SOFTHSM2_CONF", path, 1);
}

static int prepare(const char *store)
{
    char path[512];
    mkdir(store, 0700);
    snprintf(path, sizeof path, "%s/tokens", store);
    mkdir(path, 0700);
    use_store(store);
    FILE *config = fopen(getenv("SOFTHSM2_CONF"), "w");
    fprintf(config, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
            path);
    fclose(config);
    must(secret_setup(), "sodium");
    struct hsm_settings settings = {.module = MODULE, .token_label = LABEL, .pin = view_text(PIN)};
    struct hsm *hsm;
    struct hsm_key *key;
    EVP_PKEY *public_key;
    must(hsm_token_create(&settings, view_text("87654321")), "token");
    must(hsm_open_for_ceremony(&settings, &hsm), "open");
    must(hsm_key_create(hsm, HSM_ROLE_TLS), "key");
    must(hsm_key_find(hsm, HSM_ROLE_TLS, &key), "find");
    must(hsm_public_key(key, &public_key), "public");
    snprintf(path, sizeof path, "%s/public.pem", store);
    FILE *out = fopen(path, "w");
    PEM_write_PUBKEY(out, public_key);
    fclose(out);
    hsm_close(hsm);
    _exit(0);
}

static const char *setting(const struct harness *h, const char *name, const char *otherwise)
{
    size_t len = strlen(name);
    for (int i = 0; i < h->setting_count; i++) {
        if (strncmp(h->settings[i], name, len) == 0 && h->settings[i][len] == '=') {
            return h->settings[i] + len + 1;
        }
    }
    return otherwise;
}

/* Descriptors 3 and on of the child; `fds` ends with FD_NONE. */
static pid_t spawn(const struct harness *h, const char *name, const int *fds)
{
    char path[512];
    snprintf(path, sizeof path, "%s/itl-%s", h->binaries, name);
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    int high[8];
    int count = 0;
    for (; fds[count] != FD_NONE; count++) {
        high[count] = fcntl(fds[count], F_DUPFD, 100);
    }
    for (int i = 0; i < count; i++) {
        dup2(high[i], 3 + i);
    }
    dup2(open("/dev/null", O_RDWR), 0);
    dup2(2, 1);
    close_range(3 + (unsigned)count, ~0u, 0);
    execl(path, path, (char *)NULL);
    _exit(127);
}

static void send_setup(struct harness *h, struct child *child, const char *const *names,
                       const char *const *values)
{
    struct buf *lines;
    struct buf *chain;
    struct buf *body;
    uint32_t sequence;
    must(buf_new(65536, &lines), "settings");
    for (size_t i = 0; names[i]; i++) {
        must(settings_put(lines, names[i], setting(h, names[i], values[i])), names[i]);
    }
    must(fd_read_file(h->chain, IPC_CHAIN_MAX, &chain), "chain");
    struct ipc_setup_request request = {.settings = buf_view(lines),
                                        .pin = view_text(setting(h, "pin", PIN)),
                                        .chain = buf_view(chain)};
    must(buf_new(200000, &body), "setup");
    must(ipc_put_setup_request(body, &request), "setup");
    must(ipc_channel_request(child->control, IPC_TYPE_setup, buf_view(body), &sequence), "setup");
    must(ipc_channel_flush(child->control), "setup");
    buf_free(body);
    buf_free(lines);
    buf_free(chain);
}

static void start_child(struct harness *h, int which, const int *more)
{
    struct child *child = &h->children[which];
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        _exit(2);
    }
    int fds[] = {pair[1], more[0], more[1], more[2], FD_NONE};
    child->pid = spawn(h, child->name, fds);
    close(pair[1]);
    must(ipc_channel_new(pair[0], IPC_CHANNEL_CONTROL, &child->control), "control");
}

static void start_keyholder(struct harness *h)
{
    char tokens[512];
    snprintf(tokens, sizeof tokens, "%s", h->store);
    const int fds[] = {h->tls[1], FD_NONE, FD_NONE};
    const char *const names[] = {"hsm_module", "hsm_token_label", "hsm_sessions",
                                 "softhsm",    "token_directory", NULL};
    const char *const values[] = {MODULE, LABEL, "4", "1", tokens};
    h->children[KEYHOLDER].name = "keyholder";
    start_child(h, KEYHOLDER, fds);
    send_setup(h, &h->children[KEYHOLDER], names, values);
}

static void start_front(struct harness *h)
{
    const int fds[] = {h->tls[0], h->api[0], h->listener};
    const char *const names[] = {
        "service_url", "workers", "rate_per_minute", "high_assurance", "downgrades",
        "sealed_only", NULL};
    const char *const values[] = {"https://attest.example:8443", "64", "0", "1", "", "1"};
    h->children[FRONT].name = "front";
    start_child(h, FRONT, fds);
    send_setup(h, &h->children[FRONT], names, values);
}

static void reset_tls(struct harness *h, int which, bool open)
{
    struct ipc_channel_reset_request request = {.channel = IPC_CHANNEL_TLS, .open = open};
    struct buf *body;
    uint32_t sequence;
    must(buf_new(16, &body), "reset");
    must(ipc_put_channel_reset_request(body, &request), "reset");
    must(ipc_channel_request(h->children[which].control, IPC_TYPE_channel_reset, buf_view(body),
                             &sequence),
         "reset");
    must(ipc_channel_flush(h->children[which].control), "reset");
    buf_free(body);
}

static void drain_socket(int fd)
{
    char bytes[4096];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
}

/* -- what children say ------------------------------------------------------------------------- */

static void told(struct harness *h, struct child *child, const struct ipc_frame *frame)
{
    const char *name = ipc_message_info(frame->type)->name;
    h->let_go = h->let_go || (frame->reply && frame->type == IPC_TYPE_channel_reset);
    if (frame->reply) {
        printf("reply %s %s %s\n", child->name, name,
               IS_OK(frame->status) ? "ok" : err_reason(frame->status));
        if (frame->type == IPC_TYPE_setup && IS_OK(frame->status) &&
            child == &h->children[KEYHOLDER] && h->replaced && h->children[FRONT].control) {
            reset_tls(h, FRONT, true);
        }
    } else if (frame->type == IPC_TYPE_violation) {
        struct ipc_violation_request notice;
        must(ipc_get_violation_request(frame->body, &notice), "violation");
        printf("violation %s %u %s\n", child->name, notice.channel,
               err_reason(err_from_code(notice.reason)));
    }
    fflush(stdout);
}

static void listen_to(struct harness *h, struct child *child)
{
    bool found = true;
    struct ipc_frame frame;
    err_t received = ipc_channel_receive(child->control);
    while (IS_OK(received) && found) {
        received = ipc_channel_next(child->control, &found, &frame);
        if (IS_OK(received) && found) {
            told(h, child, &frame);
        }
    }
    if (!IS_OK(received)) {
        int status = 0;
        waitpid(child->pid, &status, 0);
        ipc_channel_free(child->control);
        child->control = NULL;
        child->pid = 0;
        printf("exited %s %s %d\n", child->name, WIFSIGNALED(status) ? "signal" : "status",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        fflush(stdout);
        h->replaced = h->replaced || child == &h->children[KEYHOLDER];
        if (child == &h->children[KEYHOLDER] && h->children[FRONT].control) {
            reset_tls(h, FRONT, false);
            drain_socket(h->tls[1]);
            drain_socket(h->tls[0]);
        }
    }
}

/* The keyholder lets go of its front's end before anything new is written there. */
static void let_go_of_front(struct harness *h)
{
    h->let_go = false;
    reset_tls(h, KEYHOLDER, false);
    while (!h->let_go) {
        struct pollfd fd = {.fd = ipc_channel_fd(h->children[KEYHOLDER].control), .events = POLLIN};
        poll(&fd, 1, -1);
        listen_to(h, &h->children[KEYHOLDER]);
    }
    drain_socket(h->tls[0]);
    reset_tls(h, KEYHOLDER, true);
}

static void play_signer(struct harness *h)
{
    bool found = true;
    struct ipc_frame frame;
    must(ipc_channel_receive(h->signer), "api");
    while (found) {
        must(ipc_channel_next(h->signer, &found, &frame), "api");
        if (found) {
            must(stub_answer(&h->stub, h->signer, &frame), "answer");
        }
    }
    must(ipc_channel_flush(h->signer), "api");
}

/* -- what the test wants ----------------------------------------------------------------------- */

static void send_chain(struct harness *h, const char *path)
{
    struct buf *chain;
    struct buf *body;
    uint32_t sequence;
    must(fd_read_file(path, IPC_CHAIN_MAX, &chain), "chain");
    struct ipc_tls_chain_request request = {.chain = buf_view(chain)};
    must(buf_new(40000, &body), "chain");
    must(ipc_put_tls_chain_request(body, &request), "chain");
    must(ipc_channel_request(h->children[FRONT].control, IPC_TYPE_tls_chain, buf_view(body),
                             &sequence),
         "chain");
    must(ipc_channel_flush(h->children[FRONT].control), "chain");
    buf_free(body);
    buf_free(chain);
}

static void send_drain(struct harness *h, int which, uint32_t deadline_ms)
{
    struct ipc_drain_request request = {.deadline_ms = deadline_ms};
    struct buf *body;
    uint32_t sequence;
    must(buf_new(16, &body), "drain");
    must(ipc_put_drain_request(body, &request), "drain");
    must(ipc_channel_request(h->children[which].control, IPC_TYPE_drain, buf_view(body), &sequence),
         "drain");
    must(ipc_channel_flush(h->children[which].control), "drain");
    buf_free(body);
}

/* Asks the keyholder for a signature over any bytes, in the front's place; the front must not be
 * running. */
static void ask_signature(struct harness *h, const char *hex)
{
    struct ipc_channel *front_end;
    struct buf *content;
    struct buf *body;
    uint8_t *at;
    uint32_t sequence;
    bool found = false;
    struct ipc_frame frame;
    must(ipc_channel_new(dup(h->tls[0]), IPC_CHANNEL_TLS, &front_end), "tls");
    must(buf_new(strlen(hex) / 2, &content), "content");
    must(buf_extend(content, strlen(hex) / 2, &at), "content");
    must(hex_decode(view_text(hex), at, strlen(hex) / 2), "content");
    struct ipc_tls_sign_request request = {.content = buf_view(content)};
    must(buf_new(256, &body), "sign");
    must(ipc_put_tls_sign_request(body, &request), "sign");
    must(ipc_channel_request(front_end, IPC_TYPE_tls_sign, buf_view(body), &sequence), "sign");
    must(ipc_channel_flush(front_end), "sign");
    for (int i = 0; i < 200 && !found; i++) {
        must(ipc_channel_receive(front_end), "sign");
        must(ipc_channel_next(front_end, &found, &frame), "sign");
        usleep(10000);
    }
    if (!found) {
        say("signature none");
    } else if (!IS_OK(frame.status)) {
        printf("signature refused %s\n", err_reason(frame.status));
    } else {
        struct ipc_tls_sign_reply reply;
        char text[400];
        must(ipc_get_tls_sign_reply(frame.body, &reply), "sign");
        hex_encode(reply.signature, text);
        printf("signature %s\n", text);
    }
    fflush(stdout);
    ipc_channel_free(front_end);
    buf_free(body);
    buf_free(content);
    let_go_of_front(h);
}

static void obey(struct harness *h, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "chain ", 6) == 0) {
        send_chain(h, line + 6);
    } else if (strncmp(line, "drain ", 6) == 0) {
        send_drain(h, FRONT, (uint32_t)strtoul(line + 6, NULL, 10));
    } else if (strcmp(line, "drain-keyholder") == 0) {
        send_drain(h, KEYHOLDER, 1000);
    } else if (strcmp(line, "kill keyholder") == 0) {
        kill(h->children[KEYHOLDER].pid, SIGKILL);
    } else if (strcmp(line, "start keyholder") == 0) {
        start_keyholder(h);
    } else if (strcmp(line, "restart front") == 0) {
        drain_socket(h->api[0]);
        let_go_of_front(h);
        must(ipc_channel_reset(h->signer), "api");
        start_front(h);
    } else if (strncmp(line, "mute ", 5) == 0) {
        h->stub.mute = line[5] == '1';
    } else if (strcmp(line, "garbage") == 0) {
        IGNORE_ERR(fd_write_full(h->api[1], "this is no frame", 16));
    } else if (strcmp(line, "tls-garbage") == 0) {
        IGNORE_ERR(fd_write_full(h->tls[0], "this is no frame", 16));
    } else if (strncmp(line, "sign ", 5) == 0) {
        ask_signature(h, line + 5);
    } else if (strcmp(line, "courier-down") == 0) {
        h->stub.ready.courier = ERR_CODE_PEER_GONE;
    } else if (strcmp(line, "token-down") == 0) {
        h->stub.ready.token = ERR_CODE_TOKEN_REMOVED;
    } else if (strcmp(line, "pids") == 0) {
        printf("pids %d %d\n", h->children[FRONT].pid, h->children[KEYHOLDER].pid);
        fflush(stdout);
    } else {
        _exit(0);
    }
}

static void run(struct harness *h)
{
    char line[1024];
    for (;;) {
        struct pollfd fds[] = {
            {.fd = 0, .events = POLLIN},
            {.fd = h->children[FRONT].control ? ipc_channel_fd(h->children[FRONT].control) : -1,
             .events = POLLIN},
            {.fd = h->children[KEYHOLDER].control ? ipc_channel_fd(h->children[KEYHOLDER].control)
                                                  : -1,
             .events = POLLIN},
            {.fd = ipc_channel_fd(h->signer), .events = POLLIN},
        };
        poll(fds, 4, -1);
        if (fds[3].revents) {
            play_signer(h);
        }
        for (int i = 0; i < CHILDREN; i++) {
            if (fds[1 + i].revents) {
                listen_to(h, &h->children[i]);
            }
        }
        if (fds[0].revents) {
            if (!fgets(line, sizeof line, stdin)) {
                _exit(0);
            }
            obey(h, line);
        }
    }
}

static void make_pair(int ends[2])
{
    int size = 1024 * 1024;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        _exit(2);
    }
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* Of 127.0.0.1, or of both families. */
/* Clients are asked for certificates of the CA at the end of the server's chain. */
static void offer_client_ca(const char *chain)
{
    static uint8_t der[4096];
    uint8_t *at = der;
    X509 *last = NULL;
    FILE *file = fopen(chain, "r");
    must(file ? OK : E(IO), "chain");
    for (X509 *next; (next = PEM_read_X509(file, NULL, NULL, NULL)); last = next) {
        X509_free(last);
    }
    fclose(file);
    int len = last ? i2d_X509(last, NULL) : 0;
    if (len > 0 && len <= (int)sizeof der && i2d_X509(last, &at) == len) {
        stub_client_ca(view_of(der, (size_t)len));
    }
    X509_free(last);
}

static int listen_on_any_port(bool both)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr *address = both ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t len = both ? sizeof six : sizeof four;
    int off = 0;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (both) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, address, len) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, address, &len) != 0) {
        _exit(2);
    }
    printf("port %u\n", ntohs(both ? six.sin6_port : four.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **arguments)
{
    setvbuf(stdin, NULL, _IONBF, 0);
    if (count == 3 && strcmp(arguments[1], "prepare") == 0) {
        return prepare(arguments[2]);
    }
    if (count < 5) {
        return 2;
    }
    struct harness h = {.binaries = arguments[2],
                        .store = arguments[3],
                        .chain = arguments[4],
                        .settings = arguments + 5,
                        .setting_count = count - 5};
    signal(SIGPIPE, SIG_IGN);
    use_store(h.store);
    h.listener = listen_on_any_port(strcmp(setting(&h, "both_families", "no"), "yes") == 0);
    make_pair(h.tls);
    make_pair(h.api);
    must(ipc_channel_new(dup(h.api[1]), IPC_CHANNEL_API, &h.signer), "api");
    offer_client_ca(h.chain);
    start_keyholder(&h);
    if (strcmp(setting(&h, "front", "yes"), "yes") == 0) {
        start_front(&h);
    }
    run(&h);
}
