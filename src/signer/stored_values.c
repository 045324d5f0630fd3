#include "signer/stored_values.h"

ERRFN stored_values_encode(const struct pcr_values *values, struct buf *out_bytes)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct pcr_value *value = &values->value[i];
        TRY(buf_put_u16(out_bytes, value->bank));
        TRY(buf_put_u8(out_bytes, value->index));
        TRY(buf_put_u8(out_bytes, value->len));
        TRY(buf_put(out_bytes, view_of(value->digest, value->len)));
    }
    return OK;
}

ERRFN stored_values_decode(struct view bytes, struct pcr_values *out_values)
{
    while (bytes.len > 0) {
        uint16_t bank;
        uint8_t index;
        uint8_t len;
        struct view digest;
        TRY(view_get_u16(&bytes, &bank, E(DB_TAMPERED)));
        TRY(view_get_u8(&bytes, &index, E(DB_TAMPERED)));
        TRY(view_get_u8(&bytes, &len, E(DB_TAMPERED)));
        TRY(view_get_bytes(&bytes, len, &digest, E(DB_TAMPERED)));
        TRY(pcr_values_add(out_values, bank, index, digest));
    }
    return OK;
}
