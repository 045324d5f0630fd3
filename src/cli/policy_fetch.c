#include "cli/policy_fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "policy/policy.h"

/* "active" and "previous" are the appliance's to say; a number is the operator's. */
static ERRFN check_number(const char *which, const json_t *policy)
{
    json_int_t number = json_integer_value(json_object_get(policy, "number"));
    ENSURE(number > 0, POLICY_CONTRADICTION);
    if (which[0] >= '0' && which[0] <= '9') {
        errno = 0;
        ENSURE(strtoll(which, NULL, 10) == number && errno == 0, POLICY_CONTRADICTION);
    }
    return OK;
}

static ERRFN check_digest(const json_t *policy, struct view text)
{
    uint8_t digest[SHA384_BYTES];
    char hex[HEX_TEXT_SIZE(SHA384_BYTES)];
    const char *said;
    TRY(json_get_text(policy, "sha384", sizeof hex - 1, &said));
    TRY(sha384(text, digest));
    hex_encode(view_of(digest, sizeof digest), hex);
    ENSURE(strcmp(said, hex) == 0, POLICY_CONTRADICTION);
    return OK;
}

/* Name and version stand in the text. One of an older release may not be read by this command; the signer then does not activate it
 * either. */
static ERRFN check_name(const json_t *policy, struct view text)
{
    AUTO(policy) parsed = NULL;
    struct policy_problem problem;
    const char *name;
    err_t read = policy_parse(text, &parsed, &problem);
    if (IS_E(read, POLICY_INVALID)) {
        return OK;
    }
    TRY(read);
    TRY(json_get_text(policy, "name", POLICY_NAME_SIZE - 1, &name));
    ENSURE(strcmp(name, parsed->name) == 0, POLICY_CONTRADICTION);
    ENSURE(json_integer_value(json_object_get(policy, "version")) == (json_int_t)parsed->version, POLICY_CONTRADICTION);
    return OK;
}

ERRFN policy_fetch(struct session *session, const char *which, json_t **out_policy)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    AUTO(json) policy = NULL;
    char target[64];
    size_t len = strlen(which);
    ENSURE(len > 0 && len <= 18 && strspn(which, allowed) == len, POLICY_VERSION);
    snprintf(target, sizeof target, "/api/v1/policies/%s", which);
    TRY(session_get_object(session, target, &policy));
    const json_t *value = json_object_get(policy, "policy");
    ENSURE(json_is_string(value), ANSWER_INVALID);
    struct view text = view_of(json_string_value(value), json_string_length(value));
    TRY(check_number(which, policy));
    TRY(check_digest(policy, text));
    TRY(check_name(policy, text));
    *out_policy = STEAL(policy);
    return OK;
}
