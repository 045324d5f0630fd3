#include "provision/token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "provision/certificate.h"
#include "provision/pin.h"
#include "provision/say.h"
#include "provision/store.h"

enum { CHILD_FAILED = 1 };

/* A file in memory for each artifact: the child writes, the parent reads when it has ended well. */
struct hand_over {
    int files[ARTIFACT_COUNT];
};

static ERRFN hand_over_made(const struct token_work *work, const struct hand_over *files)
{
    for (size_t i = 0; i < ARTIFACT_COUNT; i++) {
        if (work->made[i]) {
            TRY(fd_write_full(files->files[i], work->made[i]->data, work->made[i]->len));
        }
    }
    return OK;
}

static _Noreturn void run_child(const struct ceremony *c, const struct token_plan *plan,
                                const struct hand_over *files)
{
    struct token_work work = {.ceremony = c};
    err_t err = token_work_as_account(plan, &work);
    if (IS_OK(err)) {
        err = hand_over_made(&work, files);
    }
    _exit(IS_OK(err) ? EXIT_SUCCESS : CHILD_FAILED); /* exit handlers of modules crash */
}

static ERRFN wait_for_child(pid_t child, const struct token_plan *plan)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        ENSURE(errno == EINTR, IO);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
        return OK;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_FAILED) {
        return E(TOKEN_FAILED); /* it has said why */
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == HSM_EXIT_STUCK) {
        return say_problem(E(TIMEOUT), "token \"%s\"", plan->settings->token_label);
    }
    return say_problem(E(TOKEN_FAILED), "the module %s crashed (wait status %d)",
                       plan->settings->module, status);
}

static ERRFN write_artifact(const struct ceremony *c, enum artifact artifact, int file)
{
    off_t size = lseek(file, 0, SEEK_END);
    ENSURE(size >= 0 && size <= ARTIFACT_MAX_BYTES, TOO_LONG);
    if (size == 0) {
        return OK;
    }
    AUTO(buf) content = NULL;
    uint8_t *at = NULL;
    char path[CONFIG_PATH_SIZE];
    TRY(buf_new((size_t)size, &content));
    TRY(buf_extend(content, (size_t)size, &at));
    ENSURE(lseek(file, 0, SEEK_SET) == 0, IO);
    TRY(fd_read_full(file, at, (size_t)size));
    TRY(artifact_path(c, artifact, path));
    return place_file(path, buf_view(content), artifact_owner(c, artifact),
                      artifact_mode(artifact));
}

static ERRFN run_and_collect(const struct ceremony *c, const struct token_plan *plan,
                             const struct hand_over *files)
{
    fflush(NULL);
    pid_t child = fork();
    ENSURE(child >= 0, IO);
    if (child == 0) {
        run_child(c, plan, files);
    }
    TRY(wait_for_child(child, plan));
    for (enum artifact i = 0; i < ARTIFACT_COUNT; i++) {
        TRY(write_artifact(c, i, files->files[i]));
    }
    return OK;
}

ERRFN token_run(const struct ceremony *c, const struct token_plan *plan)
{
    if (c->mode == CEREMONY_PROVISION) {
        TRY(pin_prepare(c, plan->settings));
        TRY(store_prepare(c, plan->settings, plan->name,
                          (struct owner){plan->account->uid, plan->account->gid}));
    }
    struct hand_over files;
    bool all = true;
    for (size_t i = 0; i < ARTIFACT_COUNT; i++) {
        files.files[i] = memfd_create("artifact", MFD_CLOEXEC);
        all = all && files.files[i] >= 0;
    }
    err_t err = all ? run_and_collect(c, plan, &files) : E(IO);
    for (size_t i = 0; i < ARTIFACT_COUNT; i++) {
        close(files.files[i]);
    }
    return err;
}
