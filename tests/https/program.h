/* Runs one of our programs as its users do, and keeps what it said. */
#ifndef ITL_TESTS_HTTPS_PROGRAM_H
#define ITL_TESTS_HTTPS_PROGRAM_H

enum { PROGRAM_ARGUMENTS_MAX = 40, PROGRAM_OUTPUT_SIZE = 65536 };

struct program {
    int status; /* exit status; -1 for a signal */
    char output[PROGRAM_OUTPUT_SIZE];
    char errors[PROGRAM_OUTPUT_SIZE];
};

/* Arguments end with NULL; the first is the program. Standard input is empty. */
void program_run(const char *const arguments[], struct program *out_program);

/* Writes a file; fails the test when it can't. */
void program_file(const char *path, const char *content, unsigned mode);

#endif
