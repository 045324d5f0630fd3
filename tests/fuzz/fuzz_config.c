/* Settings files: nothing but acceptance or a refusal that says why. */
#include "config/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *environment[] = {"CREDENTIALS_DIRECTORY=/run/credentials/itl", NULL};
    AUTO(config) config = NULL;
    struct config_problem problem;
    err_t e = config_parse(view_of(data, size), environment, &config, &problem);
    if (!IS_OK(e)) {
        if (config || (IS_E(e, CONFIG_INVALID) && problem.text[0] == '\0')) {
            abort();
        }
        return 0;
    }
    struct config_violation violations[CONFIG_VIOLATIONS_MAX];
    if (config_high_assurance_violations(config, violations) > CONFIG_VIOLATIONS_MAX) {
        abort();
    }
    return 0;
}
