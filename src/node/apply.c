#include "node/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/fd.h"

extern char **environ;

static ERRFN split_words(char *command, char *out_words[static APPLY_ARGUMENTS_MAX + 1])
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(command, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        ENSURE(count < APPLY_ARGUMENTS_MAX, FIELD_INVALID);
        out_words[count++] = strcmp(word, "{}") == 0 ? (char *)(uintptr_t) "/dev/stdin" : word;
    }
    out_words[count] = NULL;
    ENSURE(count > 0, FIELD_INVALID);
    return OK;
}

static ERRFN anonymous_file(struct view content, int *out_fd)
{
    AUTO(fd) fd = memfd_create("machine-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ENSURE(fd >= 0, APPLY_FAILED);
    TRY(fd_write_full(fd, content.data, content.len));
    ENSURE(lseek(fd, 0, SEEK_SET) == 0, APPLY_FAILED);
    ENSURE(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0,
           APPLY_FAILED);
    *out_fd = fd_steal(&fd);
    return OK;
}

static ERRFN start(char *const words[], int input, pid_t *out_pid)
{
    posix_spawn_file_actions_t actions;
    ENSURE(posix_spawn_file_actions_init(&actions) == 0, NO_MEMORY);
    bool set = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) == 0 &&
               posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) == 0;
    int status = set ? posix_spawnp(out_pid, words[0], &actions, NULL, words, environ) : ENOMEM;
    posix_spawn_file_actions_destroy(&actions);
    ENSURE(status == 0, APPLY_FAILED);
    return OK;
}

static ERRFN wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        ENSURE(errno == EINTR, APPLY_FAILED);
    }
    ENSURE(WIFEXITED(status) && WEXITSTATUS(status) == 0, APPLY_FAILED);
    return OK;
}

ERRFN apply_command(const char *command, const struct secret *config)
{
    AUTO(buf) text = NULL;
    char *words[APPLY_ARGUMENTS_MAX + 1];
    TRY(buf_copy(view_of(command, strlen(command) + 1), &text));
    TRY(split_words((char *)text->data, words));
    AUTO(fd) input = FD_NONE;
    TRY(anonymous_file(config ? secret_view(config) : VIEW_EMPTY, &input));
    pid_t pid = 0;
    TRY(start(words, input, &pid));
    return wait_for(pid);
}

ERRFN apply_file(const char *path, struct view content)
{
    if (strcmp(path, "-") == 0) {
        return fd_write_full(STDOUT_FILENO, content.data, content.len);
    }
    return fd_write_file_atomic(path, content, 0600);
}
