#include "sandbox/filter.h"

#include "sandbox/enforced.h"
#include "sandbox/profile.h"
#include "sandbox/rule.h"
#ifdef ITL_SANDBOX_TRAP
#include "sandbox/trap.h"
#endif

/* What happens to a call that is in no row. */
static uint32_t refusal(void)
{
    if (!SANDBOX_ENFORCED) {
        return SCMP_ACT_ALLOW;
    }
#ifdef ITL_SANDBOX_TRAP
    return SCMP_ACT_TRAP;
#else
    return SCMP_ACT_KILL_PROCESS;
#endif
}

/* libseccomp's own choices are to kill single threads, to leave other threads unfiltered and to log
 * nothing. Its choice for speculation stands: the kernel's mitigations stay on. */
static ERRFN set_attributes(scmp_filter_ctx filter)
{
    const struct {
        enum scmp_filter_attr attribute;
        uint32_t value;
    } wanted[] = {
        {SCMP_FLTATR_ACT_BADARCH, refusal()},
        {SCMP_FLTATR_CTL_NNP, 1},
        {SCMP_FLTATR_CTL_TSYNC, 1},
        {SCMP_FLTATR_CTL_LOG, 1},
        {SCMP_FLTATR_CTL_OPTIMIZE, 2}, /* a binary tree: a profile may have over a hundred rows */
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        int result = seccomp_attr_set(filter, wanted[i].attribute, wanted[i].value);
        ENSURE(result == 0, SANDBOX_SECCOMP);
    }
    return OK;
}

static ERRFN add_rows(scmp_filter_ctx filter, struct row_set set)
{
    for (size_t i = 0; i < set.count; i++) {
        const struct row *row = &set.rows[i];
        uint32_t action = row->action == ROW_ALLOW ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(row->error);
        TRY(rule_add(filter, action, row));
    }
    return OK;
}

ERRFN filter_build(enum sandbox_profile profile, bool softhsm, scmp_filter_ctx *out_filter)
{
    struct row_set sets[PROFILE_SETS_MAX];
    size_t set_count = profile_sets(profile, softhsm, sets);
    ENSURE(set_count > 0, SANDBOX);
    AUTO(filter) filter = seccomp_init(refusal());
    ENSURE(filter, SANDBOX_SECCOMP);
    TRY(set_attributes(filter));
    for (size_t i = 0; SANDBOX_ENFORCED && i < set_count; i++) {
        TRY(add_rows(filter, sets[i]));
    }
    *out_filter = STEAL(filter);
    return OK;
}

ERRFN filter_load(enum sandbox_profile profile, bool softhsm)
{
    AUTO(filter) filter = NULL;
    TRY(filter_build(profile, softhsm, &filter));
#ifdef ITL_SANDBOX_TRAP
    TRY(trap_install());
#endif
    ENSURE(seccomp_load(filter) == 0, SANDBOX_SECCOMP);
    return OK;
}
