#include "policy/firmware.h"

#include <stdio.h>

enum { NUMBERS = 4, NUMBER_MAX = 0xffff };

static ERRFN take_number(struct view *text, uint64_t *out_number)
{
    uint32_t number = 0;
    size_t digits = 0;
    for (; text->len > 0 && text->data[0] >= '0' && text->data[0] <= '9'; digits++) {
        uint8_t digit;
        TRY(view_get_u8(text, &digit, E(FIELD_INVALID)));
        number = number * 10 + (uint32_t)(digit - '0');
        ENSURE(number <= NUMBER_MAX, FIELD_INVALID);
    }
    ENSURE(digits > 0, FIELD_INVALID);
    *out_number = number;
    return OK;
}

ERRFN policy_firmware_parse(struct view text, uint16_t rest, uint64_t *out_version)
{
    uint64_t version = 0;
    for (size_t i = 0; i < NUMBERS; i++) {
        uint64_t number = rest;
        if (i == 0 || text.len > 0) {
            uint8_t dot = '.';
            if (i > 0) {
                TRY(view_get_u8(&text, &dot, E(FIELD_INVALID)));
            }
            ENSURE(dot == '.', FIELD_INVALID);
            TRY(take_number(&text, &number));
        }
        version = version << 16 | number;
    }
    ENSURE(text.len == 0, FIELD_INVALID);
    *out_version = version;
    return OK;
}

void policy_firmware_text(uint64_t version, char *out_text, size_t size)
{
    snprintf(out_text, size, "%u.%u.%u.%u", (unsigned)(version >> 48),
             (unsigned)(version >> 32 & NUMBER_MAX), (unsigned)(version >> 16 & NUMBER_MAX),
             (unsigned)(version & NUMBER_MAX));
}
