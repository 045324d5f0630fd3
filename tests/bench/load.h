/* Runs the same work in many threads for a while and measures it. */
#ifndef ITL_BENCH_LOAD_H
#define ITL_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>

/* One unit of work of thread `thread`; false when it failed. */
typedef bool (*load_work)(void *context, size_t thread);

struct load_result {
    double per_second;
    double median_ms;
    double p99_ms;
    unsigned long done;
    unsigned long failed;
};

/* Throws the first second away. */
struct load_result load_run(size_t threads, double seconds, load_work work, void *context);

/* Prints the result as one JSON object on one line. */
void load_print(const char *name, const struct load_result *result);

#endif
