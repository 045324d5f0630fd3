#include "tpm/little_endian.h"

static bool take(struct view *v, size_t width, uint64_t *out_value)
{
    if (v->len < width) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value |= (uint64_t)v->data[i] << (8 * i);
    }
    v->data += width;
    v->len -= width;
    *out_value = value;
    return true;
}

bool le_take_u8(struct view *v, uint8_t *out_value)
{
    uint64_t value;
    if (!take(v, 1, &value)) {
        return false;
    }
    *out_value = (uint8_t)value;
    return true;
}

bool le_take_u16(struct view *v, uint16_t *out_value)
{
    uint64_t value;
    if (!take(v, 2, &value)) {
        return false;
    }
    *out_value = (uint16_t)value;
    return true;
}

bool le_take_u32(struct view *v, uint32_t *out_value)
{
    uint64_t value;
    if (!take(v, 4, &value)) {
        return false;
    }
    *out_value = (uint32_t)value;
    return true;
}

bool le_take_u64(struct view *v, uint64_t *out_value)
{
    return take(v, 8, out_value);
}

bool le_take_bytes(struct view *v, uint64_t len, struct view *out_bytes)
{
    if (len > v->len) {
        return false;
    }
    *out_bytes = view_of(v->data, (size_t)len);
    v->data = len ? v->data + len : v->data;
    v->len -= (size_t)len;
    return true;
}
