#include "tpm/pcr.h"

#include "tpm/event_bank.h"

#include <openssl/evp.h>
#include <string.h>

enum {
    PCR_SELECT_MAX_BYTES = 4, /* PC Client TPMs use 3 */
    SELECTIONS_MAX = 16       /* TPM2_NUM_PCR_BANKS of the TSS; TPMs have up to five */
};

AUTO_DEFINE(md_ctx, EVP_MD_CTX, EVP_MD_CTX_free);

_Static_assert((int)PCR_BANKS_MAX == (int)EVENT_BANK_COUNT, "a quote of every bank is read");

uint16_t pcr_bank_from_name(struct view name)
{
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        if (view_is(name, event_banks[i].name)) {
            return event_banks[i].alg;
        }
    }
    return TPM_ALG_NONE;
}

const char *pcr_bank_name(uint16_t bank)
{
    const struct event_bank *found = event_bank_of(bank);
    return found ? found->name : NULL;
}

size_t pcr_bank_digest_size(uint16_t bank)
{
    const struct event_bank *found = event_bank_of(bank);
    return found ? found->size : 0;
}

static uint32_t mask_of(const struct pcr_selection *selection, uint16_t bank)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (selection->banks[i].bank == bank) {
            return selection->banks[i].mask;
        }
    }
    return 0;
}

static bool has_bank(const struct pcr_selection *selection, uint16_t bank)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (selection->banks[i].bank == bank) {
            return true;
        }
    }
    return false;
}

/* TPMS_PCR_SELECTION: the first byte holds PCR 0 to 7, least significant bit first. */
static ERRFN get_bank(struct view *v, struct pcr_selection *selection)
{
    uint16_t bank;
    uint8_t len;
    struct view bits;
    TRY(view_get_u16(v, &bank, E(QUOTE_UNREADABLE)));
    TRY(view_get_u8(v, &len, E(QUOTE_UNREADABLE)));
    ENSURE(len <= PCR_SELECT_MAX_BYTES, QUOTE_UNREADABLE);
    TRY(view_get_bytes(v, len, &bits, E(QUOTE_UNREADABLE)));
    uint32_t mask = 0;
    for (size_t i = 0; i < bits.len; i++) {
        mask |= (uint32_t)bits.data[i] << (8 * i);
    }
    ENSURE(mask >> PCR_COUNT == 0, QUOTE_UNREADABLE);
    if (pcr_bank_digest_size(bank) == 0) {
        ENSURE(mask == 0, QUOTE_UNREADABLE);
        return OK;
    }
    ENSURE(!has_bank(selection, bank) && selection->count < PCR_BANKS_MAX, QUOTE_UNREADABLE);
    selection->banks[selection->count++] = (struct pcr_bank_selection){.bank = bank, .mask = mask};
    return OK;
}

ERRFN pcr_selection_parse(struct view *v, struct pcr_selection *out_selection)
{
    struct view rest = *v;
    struct pcr_selection selection = {0};
    uint32_t count;
    TRY(view_get_u32(&rest, &count, E(QUOTE_UNREADABLE)));
    ENSURE(count <= SELECTIONS_MAX, QUOTE_UNREADABLE);
    for (uint32_t i = 0; i < count; i++) {
        TRY(get_bank(&rest, &selection));
    }
    *v = rest;
    *out_selection = selection;
    return OK;
}

bool pcr_selection_equal(const struct pcr_selection *a, const struct pcr_selection *b)
{
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        if (mask_of(a, event_banks[i].alg) != mask_of(b, event_banks[i].alg)) {
            return false;
        }
    }
    return true;
}

bool pcr_selection_empty(const struct pcr_selection *selection)
{
    static const struct pcr_selection none = {0};
    return pcr_selection_equal(selection, &none);
}

const struct pcr_value *pcr_values_find(const struct pcr_values *values, uint16_t bank,
                                        uint32_t index)
{
    for (size_t i = 0; i < values->count; i++) {
        if (values->value[i].bank == bank && values->value[i].index == index) {
            return &values->value[i];
        }
    }
    return NULL;
}

ERRFN pcr_values_add(struct pcr_values *values, uint16_t bank, uint32_t index, struct view digest)
{
    size_t size = pcr_bank_digest_size(bank);
    ENSURE(size > 0 && digest.len == size && index < PCR_COUNT, PCR_VALUES_INVALID);
    ENSURE(!pcr_values_find(values, bank, index), PCR_VALUES_INVALID);
    ENSURE(values->count < PCR_VALUES_MAX, PCR_VALUES_INVALID);
    struct pcr_value *value = &values->value[values->count];
    *value = (struct pcr_value){.bank = bank, .index = (uint8_t)index, .len = (uint8_t)size};
    memcpy(value->digest, digest.data, size);
    values->count++;
    return OK;
}

ERRFN pcr_values_digest(const struct pcr_values *values, const struct pcr_selection *order,
                        uint16_t hash_alg, uint8_t *out_digest, size_t *out_len)
{
    const EVP_MD *md = tpm_hash_md(hash_alg);
    ENSURE(md, QUOTE_HASH);
    AUTO(md_ctx) ctx = EVP_MD_CTX_new();
    ENSURE(ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1, CRYPTO);
    size_t used = 0;
    for (size_t i = 0; i < order->count; i++) {
        for (uint32_t index = 0; index < PCR_COUNT; index++) {
            if (!(order->banks[i].mask >> index & 1)) {
                continue;
            }
            const struct pcr_value *value = pcr_values_find(values, order->banks[i].bank, index);
            ENSURE(value && value->len == pcr_bank_digest_size(value->bank), PCR_VALUES_INVALID);
            ENSURE(EVP_DigestUpdate(ctx, value->digest, value->len) == 1, CRYPTO);
            used++;
        }
    }
    ENSURE(used == values->count, PCR_VALUES_INVALID);
    unsigned len = 0;
    ENSURE(EVP_DigestFinal_ex(ctx, out_digest, &len) == 1, CRYPTO);
    *out_len = len;
    return OK;
}
