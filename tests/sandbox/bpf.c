#include "bpf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/filter.h"

ERRFN bpf_of_profile(enum sandbox_profile profile, bool softhsm, struct bpf_program *out_program)
{
    AUTO(filter) filter = NULL;
    TRY(filter_build(profile, softhsm, &filter));
    AUTO(fd) fd = memfd_create("filter", MFD_CLOEXEC);
    ENSURE(fd >= 0, SANDBOX);
    ENSURE(seccomp_export_bpf(filter, fd) == 0, SANDBOX);
    ssize_t bytes = pread(fd, out_program->code, sizeof(out_program->code), 0);
    ENSURE(bytes > 0 && (size_t)bytes % sizeof(struct sock_filter) == 0, SANDBOX);
    out_program->length = (size_t)bytes / sizeof(struct sock_filter);
    return OK;
}

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
    if (offset > sizeof(*data) - sizeof(uint32_t) || offset % sizeof(uint32_t) != 0) {
        abort();
    }
    uint32_t word;
    memcpy(&word, (const uint8_t *)data + offset, sizeof(word));
    return word;
}

static int jump_taken(uint16_t operation, uint32_t accumulator, uint32_t k)
{
    switch (operation) {
    case BPF_JEQ:
        return accumulator == k;
    case BPF_JGT:
        return accumulator > k;
    case BPF_JGE:
        return accumulator >= k;
    case BPF_JSET:
        return (accumulator & k) != 0;
    default:
        abort();
    }
}

uint32_t bpf_run(const struct bpf_program *program, const struct seccomp_data *data)
{
    uint32_t accumulator = 0;
    for (size_t at = 0; at < program->length; at++) {
        const struct sock_filter *i = &program->code[at];
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            accumulator = load(data, i->k);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            accumulator &= i->k;
            break;
        case BPF_JMP | BPF_JA:
            at += i->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
        case BPF_JMP | BPF_JGT | BPF_K:
        case BPF_JMP | BPF_JGE | BPF_K:
        case BPF_JMP | BPF_JSET | BPF_K:
            at += jump_taken(BPF_OP(i->code), accumulator, i->k) ? i->jt : i->jf;
            break;
        case BPF_RET | BPF_K:
            return i->k;
        default:
            abort();
        }
    }
    abort(); /* fell off the end */
}
