#include "tests/https/program.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void read_back(FILE *file, char out_text[static PROGRAM_OUTPUT_SIZE])
{
    rewind(file);
    size_t len = fread(out_text, 1, PROGRAM_OUTPUT_SIZE - 1, file);
    out_text[len] = '\0';
    fclose(file);
}

void program_run(const char *const arguments[], struct program *out_program)
{
    FILE *output = tmpfile();
    FILE *errors = tmpfile();
    assert_non_null(output);
    assert_non_null(errors);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, STDIN_FILENO);
        dup2(fileno(output), STDOUT_FILENO);
        dup2(fileno(errors), STDERR_FILENO);
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(126);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    out_program->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    read_back(output, out_program->output);
    read_back(errors, out_program->errors);
}

void program_file(const char *path, const char *content, unsigned mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}
