#include "policy/evaluation.h"
#include "policy/glob.h"

#include <stdio.h>
#include <string.h>

/* A TPM that does not say who made it is measured by every range. */
static bool concerns(const struct policy_firmware *range, const char *manufacturer)
{
    return range->manufacturer[0] == '\0' || !manufacturer ||
           policy_glob_matches_any_case(view_text(range->manufacturer), view_text(manufacturer));
}

static void report(struct evaluation *e, const struct policy_firmware *range)
{
    char min[24];
    char max[24];
    struct policy_failure failure = {.rule = "ek.firmware"};
    policy_firmware_text(range->min, min, sizeof min);
    policy_firmware_text(range->max, max, sizeof max);
    if (range->max == UINT64_MAX) {
        WRITE(failure.expected, "TPM firmware %s or newer", min);
    } else {
        WRITE(failure.expected, "TPM firmware from %s to %s", min, max);
    }
    if (e->facts->quoted) {
        policy_firmware_text(e->facts->firmware_version, failure.actual, sizeof failure.actual);
    } else {
        WRITE(failure.actual, "not known without a quote");
    }
    evaluation_fail(e, &failure, E(EK_POLICY), 0);
}

void evaluation_check_firmware(struct evaluation *e)
{
    const struct policy *p = e->policy;
    const struct policy_facts *f = e->facts;
    bool certified = f->ek_has_certificate && f->ek_chain_trusted;
    const struct policy_firmware *missed = NULL;
    for (size_t i = 0; i < p->firmware_count; i++) {
        const struct policy_firmware *range = &p->firmware[i];
        if (!concerns(range, certified ? f->ek_manufacturer : NULL)) {
            continue;
        }
        if (f->quoted && f->firmware_version >= range->min && f->firmware_version <= range->max) {
            return;
        }
        missed = range;
    }
    if (missed) {
        report(e, missed);
    }
}
