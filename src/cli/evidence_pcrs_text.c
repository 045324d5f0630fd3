#include "cli/evidence_pcrs_text.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

bool evidence_pcrs_is_text(struct view content)
{
    for (size_t i = 0; i < content.len; i++) {
        if (!isprint(content.data[i]) && !isspace(content.data[i])) {
            return false;
        }
    }
    return content.len > 0;
}

ERRFN evidence_pcrs_index(struct view text, uint32_t *out_index)
{
    ENSURE(text.len == 1 || (text.len == 2 && text.data[0] != '0'), PCR_VALUES_INVALID);
    uint32_t index = 0;
    for (size_t i = 0; i < text.len; i++) {
        ENSURE(isdigit(text.data[i]), PCR_VALUES_INVALID);
        index = index * 10 + (uint32_t)(text.data[i] - '0');
    }
    *out_index = index;
    return OK;
}

ERRFN evidence_pcrs_add_hex(struct pcr_values *values, uint16_t bank, uint32_t index,
                            struct view hex)
{
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    size_t size = pcr_bank_digest_size(bank);
    if (hex.len > 2 && hex.data[0] == '0' && (hex.data[1] | 0x20) == 'x') {
        hex = view_of(hex.data + 2, hex.len - 2);
    }
    ENSURE(IS_OK(hex_decode(hex, digest, size)), PCR_VALUES_INVALID);
    return pcr_values_add(values, bank, index, view_of(digest, size));
}

static struct view trim(struct view text)
{
    while (text.len > 0 && isspace(text.data[0])) {
        text = view_of(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && isspace(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

static struct view take_line(struct view *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->len);
    size_t len = end ? (size_t)(end - text->data) : text->len;
    struct view line = view_of(text->data, len);
    len += end ? 1 : 0;
    *text = view_of(text->data + len, text->len - len);
    return trim(line);
}

static ERRFN read_line(struct view line, uint16_t *bank, struct pcr_values *values)
{
    uint32_t index;
    const uint8_t *colon = memchr(line.data, ':', line.len);
    ENSURE(colon, PCR_VALUES_INVALID);
    size_t at = (size_t)(colon - line.data);
    struct view before = trim(view_of(line.data, at));
    struct view behind = trim(view_of(colon + 1, line.len - at - 1));
    if (behind.len == 0) {
        *bank = pcr_bank_from_name(before);
        ENSURE(*bank != TPM_ALG_NONE, PCR_VALUES_INVALID);
        return OK;
    }
    TRY(evidence_pcrs_index(before, &index));
    return evidence_pcrs_add_hex(values, *bank, index, behind);
}

ERRFN evidence_pcrs_text(struct view text, struct pcr_values *values)
{
    uint16_t bank = TPM_ALG_NONE;
    while (text.len > 0) {
        struct view line = take_line(&text);
        TRY(line.len > 0 ? read_line(line, &bank, values) : OK);
    }
    ENSURE(values->count > 0, PCR_VALUES_INVALID);
    return OK;
}
