#include "sandbox/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SET_WORDS = 2, CAPABILITIES_MAX = 64 };

/* The kernel's sets, as version 3 of its interface splits them: low words first. */
struct sets {
    struct __user_cap_data_struct words[SET_WORDS];
};

static ERRFN get_sets(struct sets *out_sets)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    ENSURE(syscall(SYS_capget, &header, out_sets->words) == 0, SANDBOX_PRIVILEGES);
    return OK;
}

static uint64_t join(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

ERRFN capability_effective(uint64_t *out_set)
{
    struct sets sets;
    TRY(get_sets(&sets));
    *out_set = join(sets.words[0].effective, sets.words[1].effective);
    return OK;
}

ERRFN capability_bound(uint64_t kept)
{
    for (int capability = 0; capability < CAPABILITIES_MAX; capability++) {
        int bounded = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (bounded < 0 && errno == EINVAL) {
            return OK; /* the kernel's last capability was the one before */
        }
        ENSURE(bounded >= 0, SANDBOX_PRIVILEGES);
        if (bounded == 1 && (kept & CAPABILITY_BIT(capability)) == 0) {
            int result = prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
            ENSURE(result == 0, SANDBOX_PRIVILEGES);
        }
    }
    return OK;
}

ERRFN capability_lock_root(void)
{
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                               SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    ENSURE(prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == 0, SANDBOX_PRIVILEGES);
    return OK;
}

ERRFN capability_keep(uint64_t kept)
{
    ENSURE(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0, SANDBOX_PRIVILEGES);
    struct sets sets;
    TRY(get_sets(&sets));
    struct sets wanted = {0};
    const uint32_t kept_words[SET_WORDS] = {(uint32_t)kept, (uint32_t)(kept >> 32)};
    for (size_t i = 0; i < SET_WORDS; i++) {
        wanted.words[i].permitted = sets.words[i].permitted & kept_words[i];
        wanted.words[i].effective = wanted.words[i].permitted;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    ENSURE(syscall(SYS_capset, &header, wanted.words) == 0, SANDBOX_PRIVILEGES);
    TRY(get_sets(&sets));
    for (size_t i = 0; i < SET_WORDS; i++) {
        ENSURE(sets.words[i].permitted == wanted.words[i].permitted, SANDBOX_PRIVILEGES);
        ENSURE(sets.words[i].effective == wanted.words[i].effective, SANDBOX_PRIVILEGES);
        ENSURE(sets.words[i].inheritable == 0, SANDBOX_PRIVILEGES);
    }
    return OK;
}
