/* What policy says of a machine: three answers that are never mixed, the reasons, what is unlocked,
 * and for how long. */
#ifndef ITL_POLICY_VERDICT_H
#define ITL_POLICY_VERDICT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_NAME_SIZE = 64,
    POLICY_FAILURES_MAX = 32,
    POLICY_RULE_SIZE = 64,
    POLICY_VALUE_SIZE = 192,
    POLICY_CLASS_SIZE = 32,
    POLICY_GATE_SIZE = POLICY_CLASS_SIZE + 8, /* "secrets." and a class */
    POLICY_CLASSES_MAX = 32,                  /* classes of secrets; a fleet has a handful */
    POLICY_EXCEPTIONS_USED_MAX = 16           /* of one machine; more are not granted at once */
};

enum policy_outcome { POLICY_OUTCOME_NOT_EVALUATED = 0, POLICY_OUTCOME_PASS, POLICY_OUTCOME_FAIL };

/* One of the three answers. */
struct policy_part {
    enum policy_outcome outcome;
    err_t reason; /* of the first failure; OK unless FAIL */
};

/* FAIL: the config gate is closed. TELEMETRY: something failed and the config gate is open all the
 * same, because of telemetry or because what failed concerns other gates. */
enum policy_result {
    POLICY_RESULT_NONE = 0,
    POLICY_RESULT_PASS,
    POLICY_RESULT_FAIL,
    POLICY_RESULT_TELEMETRY
};

/* Rules: policy.scope, policy.attestors, ek.trust, ek.expired, ek.manufacturer, ek.firmware,
 * ak.key, quote.required, pcr.<bank>.<index> ("pcr.sha256.7"), event_log.required,
 * event_log.readable, event_log.replay, baseline.match, baseline.revoked, and the names of the
 * document's own rules. Texts are bounded, printable ASCII, and hold no secret. */
struct policy_failure {
    char rule[POLICY_RULE_SIZE];
    char expected[POLICY_VALUE_SIZE];
    char actual[POLICY_VALUE_SIZE];
    char gate[POLICY_GATE_SIZE]; /* the one it concerns: "secrets.disk"; empty for all */
    bool telemetry;              /* reported only, by the rule's own severity */
    bool excused;                /* by one of the exceptions used */
};

/* How the machine stands to the policy's baselines. */
enum policy_standing {
    POLICY_STANDING_NONE = 0,    /* not looked at: the policy does not cover the machine */
    POLICY_STANDING_NO_BASELINE, /* none applies, so the rules alone decided */
    POLICY_STANDING_MATCHES,
    POLICY_STANDING_OBSOLETE, /* matches one that should be left behind */
    POLICY_STANDING_DIFFERS,  /* matches none; the nearest one's differences are reported */
    POLICY_STANDING_REVOKED   /* matches a revoked one, or can't rule it out */
};

/* What the verdict unlocks. */
struct policy_gates {
    bool config;
    bool certificates;
    bool secrets; /* of classes that are not listed */
    struct {
        char name[POLICY_CLASS_SIZE];
        bool open;
    } classes[POLICY_CLASSES_MAX];
    size_t class_count;
};

/* When more than POLICY_FAILURES_MAX rules fail, failure_count is the maximum and `more` is set. A
 * machine without failures, or whose failures are all excused, passes. */
struct policy_verdict {
    enum policy_result result;
    struct policy_part chain;  /* does the EK lead to something trusted? */
    struct policy_part replay; /* does the event log explain the quoted PCRs? FAIL also where that
                                  is excused, or where no log is required */
    struct policy_part policy; /* is everything else as the document asks, whatever the mode? */
    enum policy_standing standing;
    char baseline[POLICY_NAME_SIZE]; /* the one that matches, or the nearest */
    char note[POLICY_VALUE_SIZE];    /* a sentence for people; may be empty */
    struct policy_gates gates;
    uint64_t valid_until_ms; /* UTC; afterwards the machine has proved nothing */
    uint16_t exceptions[POLICY_EXCEPTIONS_USED_MAX]; /* used, as indexes of policy->exceptions; a
                                                        caller that grants remembers the one-shot
                                                        ones */
    size_t exception_count;
    bool more;
    size_t failure_count;
    struct policy_failure failures[POLICY_FAILURES_MAX];
};

/* Whether secrets of this class may be handed out. */
bool policy_gates_secret(const struct policy_gates *gates, const char *class_name);

/* "pass", "fail", "telemetry"; "not_evaluated" for NONE. */
const char *policy_result_name(enum policy_result result);

/* "pass", "fail", "not_evaluated". */
const char *policy_outcome_name(enum policy_outcome outcome);

#endif
