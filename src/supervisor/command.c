#include "supervisor/command.h"

#include "base/fd.h"
#include "base/text.h"
#include "ipc/settings.h"
#include "supervisor/console.h"
#include "supervisor/settings.h"

#include <inttypes.h>
#include <stdio.h>

/* Calls the running appliance and prints why it refused, if it did. */
static int call(const struct config *config, const struct buf *request, struct buf *out_answer)
{
    err_t called = console_call(config->runtime_directory, buf_view(request), out_answer);
    if (IS_E(called, PEER_GONE)) {
        fprintf(stderr, "itl-attestd: the appliance is not running (no answer on %s/console.sock), or this account may not talk to it\n",
                config->runtime_directory);
        return COMMAND_NOT_RUNNING;
    }
    if (!IS_OK(called)) {
        fprintf(stderr, "itl-attestd: %s\n", err_text(called));
        return COMMAND_FAILED;
    }
    struct view reason;
    struct view text = VIEW_EMPTY;
    if (IS_OK(settings_get(buf_view(out_answer), "reason", 0, &reason))) {
        IGNORE_ERR(settings_get(buf_view(out_answer), "text", 0, &text));
        fprintf(stderr, "itl-attestd: %.*s (%.*s)\n", (int)text.len, (const char *)text.data, (int)reason.len,
                (const char *)reason.data);
        return COMMAND_FAILED;
    }
    return COMMAND_OK;
}

static int fail(err_t why, const char *what)
{
    fprintf(stderr, "itl-attestd: %s: %s\n", what, err_text(why));
    return COMMAND_FAILED;
}

int command_status(const struct config *config)
{
    AUTO(buf) request = NULL;
    AUTO(buf) answer = NULL;
    if (!IS_OK(buf_new(CONSOLE_MESSAGE_MAX, &request)) || !IS_OK(buf_new(CONSOLE_MESSAGE_MAX, &answer)) ||
        !IS_OK(settings_put(request, "command", "status"))) {
        return COMMAND_FAILED;
    }
    int status = call(config, request, answer);
    if (status != COMMAND_OK) {
        return status;
    }
    uint64_t ready = 0;
    uint64_t assured = 0;
    struct view line;
    IGNORE_ERR(settings_get_number(buf_view(answer), "ready", &ready));
    IGNORE_ERR(settings_get_number(buf_view(answer), "high_assurance", &assured));
    printf("%s, high-assurance mode %s\n", ready ? "ready" : "not ready", assured ? "on" : "OFF");
    for (size_t i = 0; IS_OK(settings_get(buf_view(answer), "downgrade", i, &line)); i++) {
        printf("downgraded: %.*s\n", (int)line.len, (const char *)line.data);
    }
    for (size_t i = 0; IS_OK(settings_get(buf_view(answer), "process", i, &line)); i++) {
        printf("%.*s\n", (int)line.len, (const char *)line.data);
    }
    return ready ? COMMAND_OK : COMMAND_FAILED;
}

int command_breakglass_close(const struct config *config)
{
    AUTO(buf) request = NULL;
    AUTO(buf) answer = NULL;
    if (!IS_OK(buf_new(CONSOLE_MESSAGE_MAX, &request)) || !IS_OK(buf_new(CONSOLE_MESSAGE_MAX, &answer)) ||
        !IS_OK(settings_put(request, "command", "breakglass-close"))) {
        return COMMAND_FAILED;
    }
    int status = call(config, request, answer);
    uint64_t closed = 0;
    if (status == COMMAND_OK && IS_OK(settings_get_number(buf_view(answer), "closed", &closed))) {
        printf("break-glass: %" PRIu64 " credential%s closed\n", closed, closed == 1 ? "" : "s");
    }
    return status;
}

int command_tls_csr(const struct config *config)
{
    char path[PATH_MAX];
    AUTO(buf) csr = NULL;
    snprintf(path, sizeof path, "%s/tls/server.csr", config->state_directory);
    err_t read = fd_read_file(path, IPC_CHAIN_MAX, &csr);
    if (!IS_OK(read)) {
        fprintf(stderr, "itl-attestd: cannot read %s; itl-provision --config FILE --renew-tls makes it\n", path);
        return COMMAND_FAILED;
    }
    fwrite(csr->data, 1, csr->len, stdout);
    return COMMAND_OK;
}

static ERRFN put_chain(const char *path, struct buf *request)
{
    AUTO(buf) chain = NULL;
    TRY(fd_read_file(path, IPC_CHAIN_MAX, &chain));
    TRY(settings_put(request, "command", "tls-install"));
    TRY(buf_put_text(request, "chain "));
    TRY(buf_put_base64(request, buf_view(chain)));
    return buf_put_u8(request, '\n');
}

int command_tls_install(const struct config *config, const char *path)
{
    AUTO(buf) request = NULL;
    AUTO(buf) answer = NULL;
    if (!IS_OK(buf_new(CONSOLE_MESSAGE_MAX, &request)) || !IS_OK(buf_new(CONSOLE_MESSAGE_MAX, &answer))) {
        return COMMAND_FAILED;
    }
    err_t put = put_chain(path, request);
    if (!IS_OK(put)) {
        return fail(put, path);
    }
    int status = call(config, request, answer);
    if (status == COMMAND_OK) {
        printf("the certificate is in use for every new connection\n");
    }
    return status;
}

/* One bounded step of the verification. */
static int verify_from(const struct config *config, uint64_t from, struct buf *answer)
{
    AUTO(buf) request = NULL;
    if (!IS_OK(buf_new(256, &request)) || !IS_OK(settings_put(request, "command", "audit-verify")) ||
        !IS_OK(settings_put_number(request, "from", from))) {
        return COMMAND_FAILED;
    }
    buf_truncate(answer, 0);
    return call(config, request, answer);
}

int command_audit_verify(const struct config *config)
{
    AUTO(buf) answer = NULL;
    if (!IS_OK(buf_new(CONSOLE_MESSAGE_MAX, &answer))) {
        return COMMAND_FAILED;
    }
    uint64_t from = 1;
    for (;;) {
        int status = verify_from(config, from, answer);
        if (status != COMMAND_OK) {
            return status;
        }
        uint64_t valid = 0;
        uint64_t complete = 0;
        struct view text = VIEW_EMPTY;
        IGNORE_ERR(settings_get_number(buf_view(answer), "valid", &valid));
        IGNORE_ERR(settings_get_number(buf_view(answer), "complete", &complete));
        IGNORE_ERR(settings_get_number(buf_view(answer), "next", &from));
        if (!valid) {
            IGNORE_ERR(settings_get(buf_view(answer), "problem", 0, &text));
            printf("audit chain BROKEN: %.*s\n", (int)text.len, (const char *)text.data);
            return COMMAND_FAILED;
        }
        if (complete) {
            IGNORE_ERR(settings_get(buf_view(answer), "hash", 0, &text));
            printf("audit chain valid: %" PRIu64 " rows, root %.*s\n", from - 1, (int)text.len, (const char *)text.data);
            return COMMAND_OK;
        }
    }
}
