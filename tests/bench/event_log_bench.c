/* event_log_bench [--json] LOG: how fast event logs are replayed and explained: a real one, and the
 * slowest that fits into the 512 KiB which go over the wire: as many tiny events as there is room
 * for. One thread. */
#include "base/fd.h"
#include "tpm/event_claims.h"
#include "tpm/event_replay.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WIRE_MAX_BYTES = 512 * 1024 };

struct figures {
    const char *name;
    size_t bytes;
    size_t events;
    double replay_ms; /* parse and replay every bank */
    double claims_ms; /* parse and read all claims */
};

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static ERRFN replay_once(struct view bytes, size_t *out_events)
{
    static struct event_replay replay;
    AUTO(event_log) log = NULL;
    struct event_log_problem problem;
    TRY(event_log_parse(bytes, &log, &problem));
    *out_events = log->count;
    return event_replay(log, &replay);
}

static ERRFN claims_once(struct view bytes, size_t *out_events)
{
    AUTO(event_log) log = NULL;
    AUTO(claims) claims = NULL;
    struct event_log_problem problem;
    TRY(event_log_parse(bytes, &log, &problem));
    *out_events = log->count;
    return event_claims_read(log, event_log_preferred_bank(log), &claims);
}

/* Mean milliseconds of one call, over a second after a warm-up. */
static ERRFN measure(err_t (*once)(struct view bytes, size_t *out_events), struct view bytes,
                     size_t *out_events, double *out_ms)
{
    TRY(once(bytes, out_events));
    double began = now_seconds();
    double took = 0;
    size_t rounds = 0;
    for (; took < 1; took = now_seconds() - began) {
        TRY(once(bytes, out_events));
        rounds++;
    }
    *out_ms = took * 1000 / (double)rounds;
    return OK;
}

static ERRFN measure_log(const char *name, struct view bytes, struct figures *out_figures)
{
    struct figures f = {.name = name, .bytes = bytes.len};
    TRY(measure(replay_once, bytes, &f.events, &f.replay_ms));
    TRY(measure(claims_once, bytes, &f.events, &f.claims_ms));
    *out_figures = f;
    return OK;
}

/* Old records without data are the smallest that extend something: 32 bytes each, all of SHA-1. */
static ERRFN make_smallest_events(struct buf **out_log)
{
    AUTO(buf) log = NULL;
    TRY(buf_new(WIRE_MAX_BYTES, &log));
    for (uint8_t i = 0; log->len + 32 <= WIRE_MAX_BYTES; i++) {
        uint8_t record[32] = {i % 24, 0, 0, 0, 5};
        memset(record + 8, i, 20);
        TRY(buf_put(log, view_of(record, sizeof record)));
    }
    log->data[log->len - 32 + 8] = 1; /* no padding */
    *out_log = STEAL(log);
    return OK;
}

static void print_figures(const struct figures *f, size_t count, bool json)
{
    if (!json) {
        printf("%-22s%10s%8s%14s%10s%14s\n", "log", "bytes", "events", "replays/s", "MB/s",
               "claims, ms");
    }
    for (size_t i = 0; i < count; i++) {
        double per_second = 1000 / f[i].replay_ms;
        double mb_per_second = (double)f[i].bytes * per_second / 1e6;
        if (json) {
            printf("%s{\"name\": \"%s\", \"bytes\": %zu, \"events\": %zu, \"replays_per_second\": "
                   "%.1f, \"mb_per_second\": %.1f, "
                   "\"replay_ms\": %.4f, \"claims_ms\": %.4f}%s",
                   i ? ", " : "[", f[i].name, f[i].bytes, f[i].events, per_second, mb_per_second,
                   f[i].replay_ms, f[i].claims_ms, i + 1 == count ? "]\n" : "");
        } else {
            printf("%-22s%10zu%8zu%14.0f%10.1f%14.3f\n", f[i].name, f[i].bytes, f[i].events,
                   per_second, mb_per_second, f[i].claims_ms);
        }
    }
}

static ERRFN run(const char *path, bool json)
{
    AUTO(buf) real = NULL;
    AUTO(buf) smallest = NULL;
    struct figures figures[2];
    TRY(fd_read_file(path, WIRE_MAX_BYTES, &real));
    TRY(make_smallest_events(&smallest));
    TRY(measure_log("real", buf_view(real), &figures[0]));
    TRY(measure_log("512 KiB, worst case", buf_view(smallest), &figures[1]));
    print_figures(figures, 2, json);
    return OK;
}

int main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    err_t e = argc == 2 + json ? run(argv[1 + json], json) : E(BAD_REQUEST);
    if (!IS_OK(e)) {
        fprintf(stderr, "event_log_bench [--json] LOG: %s\n", err_text(e));
        return 2;
    }
    return 0;
}
