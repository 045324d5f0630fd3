#include "front/pcr_values.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { PCR_COUNT = 24, DIGEST_MAX = 64 };

/* TPM 2.0 Part 2, table TPM_ALG_ID. */
static const struct bank {
    const char *name;
    uint16_t id;
    size_t digest_bytes;
} banks[] = {
    {"sha1", 0x0004, 20},
    {"sha256", 0x000b, 32},
    {"sha384", 0x000c, 48},
    {"sha512", 0x000d, 64},
};

static ERRFN find_bank(struct view name, const struct bank **out_bank)
{
    for (size_t i = 0; i < sizeof banks / sizeof banks[0]; i++) {
        if (view_is(name, banks[i].name)) {
            *out_bank = &banks[i];
            return OK;
        }
    }
    return E(PCR_VALUES_INVALID);
}

static ERRFN read_index(struct view text, uint8_t *out_index)
{
    ENSURE(text.len == 1 || text.len == 2, PCR_VALUES_INVALID);
    ENSURE(text.len == 1 || text.data[0] != '0', PCR_VALUES_INVALID);
    unsigned index = 0;
    for (size_t i = 0; i < text.len; i++) {
        ENSURE(text.data[i] >= '0' && text.data[i] <= '9', PCR_VALUES_INVALID);
        index = index * 10 + (text.data[i] - '0');
    }
    ENSURE(index < PCR_COUNT, PCR_VALUES_INVALID);
    *out_index = (uint8_t)index;
    return OK;
}

static ERRFN add(const struct bank *bank, struct view index, const struct json_value *value,
                 struct ipc_list *values, struct buf *storage)
{
    uint8_t digest[DIGEST_MAX] = {0};
    struct ipc_pcr_value_record row = {.bank = bank->id,
                                       .digest = view_of(digest, bank->digest_bytes)};
    TRY(read_index(index, &row.index));
    ENSURE(value->kind == JSON_STRING && !value->escaped, PCR_VALUES_INVALID);
    ENSURE(IS_OK(hex_decode(value->text, digest, bank->digest_bytes)), PCR_VALUES_INVALID);
    return ipc_list_add_pcr_value(values, storage, &row);
}

static ERRFN add_bank(const struct json *json, const struct json_value *member,
                      struct ipc_list *values, struct buf *storage)
{
    const struct bank *bank;
    TRY(find_bank(member->name, &bank));
    for (const struct json_value *v = json_first(json, member); v; v = json_after(json, v)) {
        TRY(add(bank, v->name, v, values, storage));
    }
    return OK;
}

static ERRFN add_member(const struct json *json, const struct json_value *member,
                        struct ipc_list *values, struct buf *storage)
{
    if (member->kind == JSON_OBJECT) {
        return add_bank(json, member, values, storage);
    }
    const uint8_t *colon =
        member->name.len > 0 ? memchr(member->name.data, ':', member->name.len) : NULL;
    ENSURE(colon, PCR_VALUES_INVALID);
    size_t bank_len = (size_t)(colon - member->name.data);
    const struct bank *bank;
    TRY(find_bank(view_of(member->name.data, bank_len), &bank));
    return add(bank, view_of(colon + 1, member->name.len - bank_len - 1), member, values, storage);
}

ERRFN pcr_values_read(struct fields *f, const char *name, struct ipc_list *out_values)
{
    f->fault = name;
    const struct json_value *object = field_find(f, name);
    struct ipc_list values = {0};
    if (!object) {
        *out_values = values;
        return OK;
    }
    ENSURE(object->kind == JSON_OBJECT, PCR_VALUES_INVALID);
    AUTO(buf) storage = NULL;
    TRY(buf_new((size_t)IPC_ROWS_MAX_pcr_value * (DIGEST_MAX + 8), &storage));
    for (const struct json_value *v = json_first(&f->json, object); v;
         v = json_after(&f->json, v)) {
        TRY(add_member(&f->json, v, &values, storage));
    }
    *out_values = values;
    return fields_keep(f, STEAL(storage));
}

static const char *name_of(uint16_t id)
{
    for (size_t i = 0; i < sizeof banks / sizeof banks[0]; i++) {
        if (banks[i].id == id) {
            return banks[i].name;
        }
    }
    return NULL;
}

void pcr_selection_write(struct json_writer *w, const char *name, struct ipc_list selection)
{
    struct ipc_pcr_bank_record bank;
    json_open(w, name, '{');
    while (ipc_list_next_pcr_bank(&selection, &bank)) {
        const char *bank_name = name_of(bank.bank);
        if (!bank_name) {
            continue;
        }
        json_open(w, bank_name, '[');
        for (unsigned i = 0; i < PCR_COUNT; i++) {
            if (bank.mask & 1u << i) {
                json_put_number(w, NULL, i);
            }
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void write_bank(struct json_writer *w, const struct bank *bank, struct ipc_list values)
{
    struct ipc_pcr_value_record value;
    bool open = false;
    while (ipc_list_next_pcr_value(&values, &value)) {
        if (value.bank != bank->id) {
            continue;
        }
        if (!open) {
            json_open(w, bank->name, '{');
            open = true;
        }
        char index[4];
        snprintf(index, sizeof index, "%u", value.index);
        json_put_hex(w, index, value.digest);
    }
    if (open) {
        json_close(w, '}');
    }
}

void pcr_values_write(struct json_writer *w, const char *name, struct ipc_list values)
{
    json_open(w, name, '{');
    for (size_t i = 0; i < sizeof banks / sizeof banks[0]; i++) {
        write_bank(w, &banks[i], values);
    }
    json_close(w, '}');
}
