/* A machine with a log, and documents to hold against it. */
#ifndef ITL_TESTS_POLICY_FIXTURE_H
#define ITL_TESTS_POLICY_FIXTURE_H

#include "policy/policy.h"

#define HEAD "name: test\nversion: 3\n"
#define D32  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define E32  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C32  "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

/* 2026-11-26T12:00:00Z */
#define NOW_MS  1795694400000ULL
#define HOUR_MS 3600000ULL

#define MACHINE "0b9d7c1e-3a58-4a2b-9a1d-5c1f2e3d4c5b"

/* Fails the test, with the problem, when the document is refused. */
struct policy *accepted(const char *yaml);

/* Fails the test when the document is accepted, or refused for another reason. */
struct policy_problem refused_as(const char *yaml, err_t why);
struct policy_problem refused(const char *yaml);

/* A machine that proved everything: quoted PCR 0, 2, 4, 7, 11 and 14 (D32 each), a log that replays
 * to all of them, and the claims of a laptop with Secure Boot on. Static storage. */
struct policy_facts good_facts(void);

/* The claims of good_facts, to change. */
struct policy_claim *good_claims(size_t *out_count);

struct policy_verdict evaluated(const struct policy *policy, const struct policy_facts *facts);

/* The failure of this rule, or NULL. */
const struct policy_failure *failure_of(const struct policy_verdict *verdict, const char *rule);

void assert_passes(const char *yaml, const struct policy_facts *facts);

/* Fails by this rule alone. */
struct policy_verdict assert_fails(const char *yaml, const struct policy_facts *facts,
                                   const char *rule);

#endif
