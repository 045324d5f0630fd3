/* Runs a seccomp filter as the kernel would (classic BPF, linux/filter.h), on made-up calls. */
#ifndef ITL_TESTS_SANDBOX_BPF_H
#define ITL_TESTS_SANDBOX_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/sandbox.h"

enum { BPF_PROGRAM_MAX = BPF_MAXINSNS };

struct bpf_program {
    struct sock_filter code[BPF_PROGRAM_MAX];
    size_t length;
};

/* The profile's filter as libseccomp hands it to the kernel. */
ERRFN bpf_of_profile(enum sandbox_profile profile, bool softhsm, struct bpf_program *out_program);

/* The filter's SECCOMP_RET_ value. Aborts on anything that a seccomp filter may not hold. */
uint32_t bpf_run(const struct bpf_program *program, const struct seccomp_data *data);

#endif
