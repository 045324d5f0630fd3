/* policy_bench [--json] [SECONDS]: how many verdicts a second, by the number of baselines, and what reading a large document costs. */
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DBX_ENTRIES = 450, CLAIMS_MAX = 512, BATCH = 64 };

static uint8_t quoted[32] = {0xaa};
static char dbx[DBX_ENTRIES][80];
static struct policy_claim claims[CLAIMS_MAX];
static size_t claim_count;

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* what others do on the machine does not count */
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void stop(const char *why)
{
    fprintf(stderr, "policy_bench: %s\n", why);
    exit(2);
}

static void check(err_t e)
{
    if (!IS_OK(e)) {
        stop(err_text(e));
    }
}

static void add_claim(const char *name, const char *value, uint32_t pcrs)
{
    claims[claim_count++] = (struct policy_claim){name, view_text(value), pcrs};
}

static struct policy_facts machine(void)
{
    static struct policy_pcr pcrs[5];
    static const uint8_t indexes[] = {0, 2, 4, 7, 11};
    for (size_t i = 0; i < 5; i++) {
        pcrs[i] = (struct policy_pcr){"sha256", indexes[i], view_of(quoted, sizeof quoted)};
    }
    return (struct policy_facts){.quoted = true,
                                 .pcrs = pcrs,
                                 .pcr_count = 5,
                                 .ak_key = "P-384",
                                 .ek_has_certificate = true,
                                 .ek_chain_trusted = true,
                                 .ek_manufacturer = "id:4E544300",
                                 .role = "worker-app",
                                 .event_log = POLICY_LOG_READ,
                                 .log_replays = 0xffffff,
                                 .claims = claims,
                                 .claim_count = claim_count,
                                 .now_ms = 1795694400000ULL};
}

static void make_claims(void)
{
    add_claim("secure_boot.enabled", "true", 1u << 7);
    add_claim("secure_boot.pk", "x509:sha256:00", 1u << 7);
    add_claim("secure_boot.db", "x509:sha256:00", 1u << 7);
    for (unsigned i = 0; i < DBX_ENTRIES; i++) {
        snprintf(dbx[i], sizeof dbx[i], "sha256:%064x", i * 2654435761u);
        add_claim("secure_boot.dbx", dbx[i], 1u << 7);
    }
    add_claim("boot.application", "sha256:00", 1u << 4);
    add_claim("boot.application", "sha256:01", 1u << 4);
}

/* Baselines that differ in PCR 11 from one another; the machine matches the last one, or none. */
static struct policy *with_baselines(unsigned count, bool one_matches, size_t *out_bytes)
{
    AUTO(buf) yaml = NULL;
    struct policy *p = NULL;
    struct policy_problem problem;
    check(buf_new(POLICY_FILE_MAX_BYTES, &yaml));
    check(buf_put_text(yaml, "name: bench\nversion: 1\nquote: {pcr_selection: {sha256: [0, 2, 4, 7, 11]}}\n"));
    check(buf_put_text(yaml, count > 0 ? "baselines:\n" : ""));
    for (unsigned i = 0; i < count; i++) {
        bool matches = one_matches && i + 1 == count;
        check(buf_printf(yaml, "- name: b%u\n  state: active\n  pcr_values:\n    sha256:\n", i));
        for (unsigned pcr = 0; pcr < 5; pcr++) {
            static const unsigned indexes[] = {0, 2, 4, 7, 11};
            bool same = matches || indexes[pcr] != 11;
            check(buf_printf(yaml, "      %u: [\"%s%054x%08x\"]\n", indexes[pcr], same ? "aa" : "bb", 0, same ? 0 : i));
        }
    }
    *out_bytes = yaml->len;
    if (!IS_OK(policy_parse(buf_view(yaml), &p, &problem))) {
        stop(problem.text);
    }
    return p;
}

/* Eight rules, one of them with a whole dbx. */
static struct policy *with_rules(void)
{
    AUTO(buf) yaml = NULL;
    struct policy *p = NULL;
    struct policy_problem problem;
    check(buf_new(POLICY_FILE_MAX_BYTES, &yaml));
    check(buf_put_text(yaml, "name: bench\nversion: 1\nevent_log:\n  required: true\n  rules:\n"
                             "  - {name: a, claim: secure_boot.enabled, equals: 'true'}\n"
                             "  - {name: b, claim: secure_boot.pk, at_least: 1}\n"
                             "  - {name: c, claim: secure_boot.db, subset_of: ['x509:sha256:00', other]}\n"
                             "  - {name: d, claim: boot.application, subset_of: ['sha256:00', 'sha256:01']}\n"
                             "  - {name: e, claim: boot.application, excludes: ['sha256:02']}\n"
                             "  - {name: f, claim: firmware.debug_mode, absent: true}\n"
                             "  - {name: g, claim: secure_boot.dbx, at_least: 200}\n"
                             "  - {name: h, claim: secure_boot.dbx, contains_all: ["));
    for (unsigned i = 0; i < DBX_ENTRIES; i++) {
        check(buf_printf(yaml, "%s'%s'", i > 0 ? ", " : "", dbx[i]));
    }
    check(buf_put_text(yaml, "]}\n"));
    if (!IS_OK(policy_parse(buf_view(yaml), &p, &problem))) {
        stop(problem.text);
    }
    return p;
}

static double verdicts_per_second(const struct policy *p, enum policy_result expected, double seconds)
{
    struct policy_facts facts = machine();
    static struct policy_verdict verdict;
    unsigned long done = 0;
    double began = now();
    double took;
    do {
        for (int i = 0; i < BATCH; i++) {
            policy_evaluate(p, &facts, &verdict);
            if (verdict.result != expected) {
                stop("another verdict than expected");
            }
        }
        done += BATCH;
        took = now() - began;
    } while (took < seconds);
    return (double)done / took;
}

static bool as_json;
static bool first = true;

static void print(const char *name, const char *title, double value, const char *unit)
{
    if (as_json) {
        printf("%s\"%s\": %.1f", first ? "{" : ", ", name, value);
        first = false;
    } else {
        printf("%-44s%12.1f %s\n", title, value, unit);
    }
}

static void measure_baselines(double seconds)
{
    static const unsigned counts[] = {0, 1, 10, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (int one_matches = 1; one_matches >= (counts[i] == 0); one_matches--) {
            char name[64];
            char title[64];
            size_t bytes;
            AUTO(policy) p = with_baselines(counts[i], one_matches, &bytes);
            snprintf(name, sizeof name, "policy_verdicts_per_second_%u_%s", counts[i], one_matches ? "match" : "differ");
            snprintf(title, sizeof title, "%u baselines, %s", counts[i],
                     counts[i] == 0 ? "none to match" : one_matches ? "the last one matches" : "none matches");
            print(name, title,
                  verdicts_per_second(p, one_matches ? POLICY_RESULT_PASS : POLICY_RESULT_FAIL, seconds), "/s");
        }
    }
}

int main(int argc, char **argv)
{
    as_json = argc > 1 && strcmp(argv[1], "--json") == 0;
    double seconds = argc > 1 + as_json ? atof(argv[1 + as_json]) : 1;
    make_claims();
    measure_baselines(seconds);
    AUTO(policy) rules = with_rules();
    print("policy_verdicts_per_second_rules", "8 rules, a dbx of 450 entries", verdicts_per_second(rules, POLICY_RESULT_PASS, seconds),
          "/s");
    size_t bytes;
    double began = now();
    AUTO(policy) large = with_baselines(1000, true, &bytes);
    print("policy_read_1000_ms", "reading 1000 baselines, in ms", (now() - began) * 1000, "ms");
    print("policy_read_1000_bytes", "  size of that document", (double)bytes, "B");
    if (as_json) {
        printf("}\n");
    }
    return 0;
}
