/* Policies: parsed, then applied to facts that prove nothing, which no policy may accept. */
#include "policy/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(policy) policy = NULL;
    struct policy_problem problem;
    err_t e = policy_parse(view_of(data, size), &policy, &problem);
    if (!IS_OK(e)) {
        if (policy || (IS_E(e, POLICY_INVALID) && problem.text[0] == '\0')) {
            abort();
        }
        return 0;
    }
    struct policy_facts facts = {0};
    struct policy_verdict verdict;
    policy_evaluate(policy, &facts, &verdict);
    if (verdict.result != POLICY_RESULT_FAIL) { /* no AK: every policy asks for one */
        abort();
    }
    return 0;
}
