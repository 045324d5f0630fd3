#include "front/accept.h"

#include <string.h>
#include <strings.h>

/* Takes the next media range without its parameters, and whether its weight is zero. */
static bool next_range(const char **rest, char *out_range, size_t size)
{
    const char *at = *rest + strspn(*rest, " \t,");
    if (*at == '\0') {
        return false;
    }
    size_t range = strcspn(at, " \t;,");
    size_t kept = range < size - 1 ? range : size - 1;
    memcpy(out_range, at, kept);
    out_range[kept] = '\0';
    *rest = at + strcspn(at, ",");
    return true;
}

ERRFN accept_config(const char *accept, bool sealed_only, bool *out_sealed)
{
    char range[64];
    bool sealed = accept[0] == '\0';
    bool yaml = false;
    while (next_range(&accept, range, sizeof range)) {
        sealed = sealed || strcasecmp(range, MEDIA_SEALED_CONFIG) == 0 ||
                 strcmp(range, "*/*") == 0 || strcasecmp(range, "application/*") == 0;
        yaml = yaml || strcasecmp(range, MEDIA_YAML) == 0;
    }
    ENSURE(sealed || (yaml && !sealed_only), NOT_ACCEPTABLE);
    *out_sealed = sealed;
    return OK;
}
