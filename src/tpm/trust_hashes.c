#include "tpm/trust_store.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

/* The digests come from an administrator, not from an attacker, so their own first bytes spread
 * them well enough. */
static size_t slot_of(const struct trust_hashes *hashes, struct view digest)
{
    uint64_t start;
    memcpy(&start, digest.data, sizeof start);
    size_t at = (size_t)start & (hashes->cap - 1);
    while (hashes->slots[at].len != 0 &&
           !view_equal(view_of(hashes->slots[at].digest, hashes->slots[at].len), digest)) {
        at = (at + 1) & (hashes->cap - 1);
    }
    return at;
}

static void put(struct trust_hashes *hashes, struct view digest)
{
    struct trust_hash *slot = &hashes->slots[slot_of(hashes, digest)];
    if (slot->len == 0) {
        memcpy(slot->digest, digest.data, digest.len);
        slot->len = (uint8_t)digest.len;
        hashes->count++;
    }
}

static ERRFN grow(struct trust_hashes *hashes)
{
    struct trust_hashes grown = {.cap = hashes->cap ? hashes->cap * 2 : FIRST_CAP};
    grown.slots = calloc(grown.cap, sizeof *grown.slots);
    ENSURE(grown.slots, NO_MEMORY);
    for (size_t i = 0; i < hashes->cap; i++) {
        if (hashes->slots[i].len != 0) {
            put(&grown, view_of(hashes->slots[i].digest, hashes->slots[i].len));
        }
    }
    free(hashes->slots);
    *hashes = grown;
    return OK;
}

ERRFN trust_hashes_add(struct trust_hashes *hashes, struct view digest)
{
    ENSURE(digest.len == SHA256_BYTES || digest.len == SHA384_BYTES, BUG);
    ENSURE(hashes->count < TRUST_HASHES_MAX, TOO_LONG);
    if (hashes->count >= hashes->cap / 2) {
        TRY(grow(hashes));
    }
    put(hashes, digest);
    return OK;
}

bool trust_hashes_has(const struct trust_hashes *hashes, struct view digest)
{
    return hashes->cap > 0 && hashes->slots[slot_of(hashes, digest)].len != 0;
}

void trust_hashes_clear(struct trust_hashes *hashes)
{
    free(hashes->slots);
    *hashes = (struct trust_hashes){0};
}
