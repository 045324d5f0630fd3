#include "sandbox/profile.h"

#include <errno.h>
#include <string.h>

#include <seccomp.h>

#include "sandbox/enforced.h"

/* A name that libseccomp does not know fails to compile. */
#define ALLOW(name, why)          {SCMP_SYS(name), #name, ROW_ALLOW, 0, RULE_ANY, why},
#define ALLOW_IF(name, rule, why) {SCMP_SYS(name), #name, ROW_ALLOW, 0, RULE_##rule, why},
#define DENY(name, error, why)    {SCMP_SYS(name), #name, ROW_DENY, error, RULE_ANY, why},

static const struct row EVERY[] = {
#include "sandbox/profiles/every.def"
};
static const struct row SUPERVISOR[] = {
#include "sandbox/profiles/supervisor.def"
};
static const struct row FRONT[] = {
#include "sandbox/profiles/front.def"
};
static const struct row KEYHOLDER[] = {
#include "sandbox/profiles/keyholder.def"
};
static const struct row SIGNER[] = {
#include "sandbox/profiles/signer.def"
};
static const struct row COURIER[] = {
#include "sandbox/profiles/courier.def"
};
static const struct row KEYHOLDER_REMOTE[] = {
#include "sandbox/profiles/keyholder-remote.def"
};
static const struct row KEYHOLDER_SOFTHSM[] = {
#include "sandbox/profiles/keyholder-softhsm.def"
};
static const struct row SIGNER_SOFTHSM[] = {
#include "sandbox/profiles/signer-softhsm.def"
};

#define SET(rows) ((struct row_set){rows, sizeof(rows) / sizeof((rows)[0])})

size_t profile_sets(enum sandbox_profile profile, bool softhsm,
                    struct row_set out_sets[static PROFILE_SETS_MAX])
{
    out_sets[0] = SET(EVERY);
    switch (profile) {
    case SANDBOX_NONE:
        return 0;
    case SANDBOX_SUPERVISOR:
        out_sets[0] = SET(SUPERVISOR); /* complete: its argument rules are not everybody's */
        return 1;
    case SANDBOX_FRONT:
        out_sets[1] = SET(FRONT);
        return 2;
    case SANDBOX_KEYHOLDER:
        out_sets[1] = SET(KEYHOLDER);
        out_sets[2] = softhsm ? SET(KEYHOLDER_SOFTHSM) : SET(KEYHOLDER_REMOTE);
        return 3;
    case SANDBOX_SIGNER:
        out_sets[1] = SET(SIGNER);
        out_sets[2] = SET(SIGNER_SOFTHSM);
        return softhsm ? 3 : 2;
    case SANDBOX_COURIER:
        out_sets[1] = SET(COURIER);
        return 2;
    }
    return 0;
}

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

uint64_t sandbox_profile_hash(const struct sandbox_settings *settings)
{
    const uint16_t profile = (uint16_t)settings->profile;
    uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), &profile, sizeof(profile));
    struct row_set sets[PROFILE_SETS_MAX];
    size_t set_count = profile_sets(settings->profile, settings->softhsm, sets);
    if (!SANDBOX_ENFORCED) {
        return hash;
    }
    for (size_t s = 0; s < set_count; s++) {
        for (size_t i = 0; i < sets[s].count; i++) {
            const struct row *row = &sets[s].rows[i];
            const uint16_t rest[] = {(uint16_t)row->action, row->error, (uint16_t)row->rule};
            hash = hash_bytes(hash, row->name, strlen(row->name) + 1);
            hash = hash_bytes(hash, rest, sizeof(rest));
        }
    }
    return hash;
}
