#include "sandbox/status.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"

enum { READ_STEP = 4096 };

/* Takes the number at the front of `v`, after tabs and spaces. */
static ERRFN take_number(struct view *v, unsigned base, uint64_t *out_number)
{
    while (v->len > 0 && (v->data[0] == '\t' || v->data[0] == ' ')) {
        *v = view_of(v->data + 1, v->len - 1);
    }
    uint64_t number = 0;
    size_t digits = 0;
    for (; digits < v->len && isxdigit(v->data[digits]) && digits < 16; digits++) {
        unsigned c = (unsigned)tolower(v->data[digits]);
        unsigned digit = c <= '9' ? c - '0' : c - 'a' + 10;
        ENSURE(digit < base, SANDBOX_CHECK);
        number = number * base + digit;
    }
    ENSURE(digits > 0, SANDBOX_CHECK);
    *v = view_of(v->data + digits, v->len - digits);
    *out_number = number;
    return OK;
}

static ERRFN take_numbers(struct view v, unsigned base, uint64_t *out_numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TRY(take_number(&v, base, &out_numbers[i]));
    }
    ENSURE(v.len == 0, SANDBOX_CHECK);
    return OK;
}

static bool is_blank(struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (!isspace(v.data[i])) {
            return false;
        }
    }
    return true;
}

struct field {
    const char *name;
    unsigned base;
    size_t count; /* 0: a list, of which only its emptiness matters */
    uint64_t *numbers;
    bool *empty;
};

static ERRFN parse_line(struct view line, const struct field *fields, size_t field_count,
                        uint32_t *seen)
{
    const uint8_t *colon = memchr(line.data, ':', line.len);
    if (!colon) {
        return OK;
    }
    struct view name = view_of(line.data, (size_t)(colon - line.data));
    struct view value = view_of(colon + 1, line.len - name.len - 1);
    for (size_t i = 0; i < field_count; i++) {
        if (!view_is(name, fields[i].name)) {
            continue;
        }
        ENSURE((*seen & UINT32_C(1) << i) == 0, SANDBOX_CHECK);
        *seen |= UINT32_C(1) << i;
        if (fields[i].count == 0) {
            *fields[i].empty = is_blank(value);
            return OK;
        }
        return take_numbers(value, fields[i].base, fields[i].numbers, fields[i].count);
    }
    return OK;
}

ERRFN status_parse(struct view text, struct status *out_status)
{
    struct status s = {0};
    const struct field fields[] = {
        {"Uid", 10, ID_COUNT, s.uids, NULL},
        {"Gid", 10, ID_COUNT, s.gids, NULL},
        {"Groups", 10, 0, NULL, &s.groups_empty},
        {"Threads", 10, 1, &s.threads, NULL},
        {"CapInh", 16, 1, &s.capabilities_inheritable, NULL},
        {"CapPrm", 16, 1, &s.capabilities_permitted, NULL},
        {"CapEff", 16, 1, &s.capabilities_effective, NULL},
        {"CapBnd", 16, 1, &s.capabilities_bounding, NULL},
        {"CapAmb", 16, 1, &s.capabilities_ambient, NULL},
        {"NoNewPrivs", 10, 1, &s.no_new_privs, NULL},
        {"Seccomp", 10, 1, &s.seccomp, NULL},
    };
    const size_t field_count = sizeof(fields) / sizeof(fields[0]);
    uint32_t seen = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        ENSURE(end, SANDBOX_CHECK); /* a cut file is not judged */
        struct view line = view_of(text.data, (size_t)(end - text.data));
        TRY(parse_line(line, fields, field_count, &seen));
        text = view_of(end + 1, text.len - line.len - 1);
    }
    ENSURE(seen == (UINT32_C(1) << field_count) - 1, SANDBOX_CHECK);
    *out_status = s;
    return OK;
}

ERRFN status_read(int fd, struct status *out_status)
{
    AUTO(buf) text = NULL;
    TRY(buf_new(STATUS_MAX_BYTES, &text));
    for (;;) {
        uint8_t *at = NULL;
        size_t before = text->len;
        ENSURE(IS_OK(buf_extend(text, READ_STEP, &at)), SANDBOX_CHECK);
        ssize_t got = read(fd, at, READ_STEP);
        ENSURE(got >= 0, SANDBOX_CHECK);
        buf_truncate(text, before + (size_t)got);
        if (got == 0) {
            return status_parse(buf_view(text), out_status);
        }
    }
}

ERRFN status_read_file(const char *path, struct status *out_status)
{
    AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    ENSURE(fd >= 0, SANDBOX_CHECK);
    return status_read(fd, out_status);
}
