#include "bench/load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SAMPLES_MAX = 400000 /* for the percentiles; what is done beyond them is still counted */ };

struct shared {
    load_work work;
    void *context;
    double warm_at;
    double end_at;
    pthread_mutex_t lock;
    float *samples;
    size_t sample_count;
    unsigned long done;
    unsigned long failed;
};

struct thread {
    struct shared *shared;
    size_t number;
    pthread_t id;
};

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *run(void *argument)
{
    struct thread *thread = argument;
    struct shared *s = thread->shared;
    double start;
    while ((start = now()) < s->end_at) {
        bool good = s->work(s->context, thread->number);
        double took = now() - start;
        if (start < s->warm_at) {
            continue;
        }
        pthread_mutex_lock(&s->lock);
        s->done += good;
        s->failed += !good;
        if (good && s->sample_count < SAMPLES_MAX) {
            s->samples[s->sample_count++] = (float)(took * 1000);
        }
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

struct load_result load_run(size_t threads, double seconds, load_work work, void *context)
{
    struct shared s = {.work = work, .context = context, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct thread *list = calloc(threads, sizeof *list);
    s.samples = calloc(SAMPLES_MAX, sizeof *s.samples);
    s.warm_at = now() + 1;
    s.end_at = s.warm_at + seconds;
    for (size_t i = 0; i < threads; i++) {
        list[i] = (struct thread){.shared = &s, .number = i};
        pthread_create(&list[i].id, NULL, run, &list[i]);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(list[i].id, NULL);
    }
    qsort(s.samples, s.sample_count, sizeof *s.samples, compare);
    struct load_result result = {.done = s.done, .failed = s.failed, .per_second = (double)s.done / seconds};
    if (s.sample_count > 0) {
        result.median_ms = (double)s.samples[s.sample_count / 2];
        result.p99_ms = (double)s.samples[s.sample_count * 99 / 100];
    }
    free(s.samples);
    free(list);
    return result;
}

void load_print(const char *name, const struct load_result *result)
{
    printf("{\"name\":\"%s\",\"per_second\":%.1f,\"median_ms\":%.2f,\"p99_ms\":%.2f,\"done\":%lu,\"failed\":%lu}\n", name,
           result->per_second, result->median_ms, result->p99_ms, result->done, result->failed);
}
