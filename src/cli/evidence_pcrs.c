#include "cli/evidence_pcrs.h"

#include "cli/evidence_file.h"
#include "cli/evidence_json.h"
#include "cli/evidence_pcrs_text.h"
#include "https/json.h"

/* -- JSON -------------------------------------------------------------------------------------- */

static ERRFN add_json_value(struct pcr_values *values, uint16_t bank, struct view index_text,
                            const json_t *value)
{
    uint32_t index;
    TRY(evidence_pcrs_index(index_text, &index));
    ENSURE(json_is_string(value), PCR_VALUES_INVALID);
    return evidence_pcrs_add_hex(values, bank, index,
                                 view_of(json_string_value(value), json_string_length(value)));
}

static ERRFN read_json(struct view text, struct pcr_values *values)
{
    AUTO(json) banks = NULL;
    TRY(json_read(text, &banks));
    const char *name;
    json_t *pcrs;
    json_object_foreach(banks, name, pcrs)
    {
        uint16_t bank = pcr_bank_from_name(view_text(name));
        ENSURE(bank != TPM_ALG_NONE && json_is_object(pcrs), PCR_VALUES_INVALID);
        const char *index;
        json_t *value;
        json_object_foreach(pcrs, index, value)
        {
            TRY(add_json_value(values, bank, view_text(index), value));
        }
    }
    return OK;
}

/* -- digests one behind the other -------------------------------------------------------------- */

static ERRFN take_selected(struct view *digests, const struct pcr_selection *selection,
                           struct pcr_values *values)
{
    for (size_t i = 0; i < selection->count; i++) {
        uint16_t bank = selection->banks[i].bank;
        for (uint32_t index = 0; index < PCR_COUNT; index++) {
            struct view digest;
            if (!(selection->banks[i].mask >> index & 1)) {
                continue;
            }
            TRY(view_get_bytes(digests, pcr_bank_digest_size(bank), &digest,
                               E(PCR_VALUES_INVALID)));
            TRY(pcr_values_add(values, bank, index, digest));
        }
    }
    return OK;
}

static ERRFN read_plain(struct view content, const struct pcr_selection *selection,
                        struct pcr_values *values)
{
    TRY(take_selected(&content, selection, values));
    ENSURE(content.len == 0, PCR_VALUES_INVALID);
    return OK;
}

/* -- tpm2-tools' dump -------------------------------------------------------------------------- */

/* C structures of the TSS as they lie in memory, numbers little-endian: TPML_PCR_SELECTION with 16
 * places for a hash, a length, four bytes and one of padding; then how many TPML_DIGEST follow,
 * each with eight places for a length and 64 bytes. */
enum {
    SELECTIONS = 16,
    SELECTION_BYTES = 8,
    DIGESTS = 8,
    DIGEST_LISTS_MAX = PCR_VALUES_MAX / DIGESTS + 1
};

static ERRFN get_le16(struct view *v, uint16_t *out_value)
{
    struct view bytes;
    TRY(view_get_bytes(v, 2, &bytes, E(PCR_VALUES_INVALID)));
    *out_value = (uint16_t)(bytes.data[0] | bytes.data[1] << 8);
    return OK;
}

static ERRFN get_le32(struct view *v, uint32_t *out_value)
{
    uint16_t low;
    uint16_t high;
    TRY(get_le16(v, &low));
    TRY(get_le16(v, &high));
    *out_value = (uint32_t)high << 16 | low;
    return OK;
}

static ERRFN get_selection(struct view *v, struct pcr_selection *out_selection)
{
    struct pcr_selection selection = {0};
    struct view places;
    uint32_t count;
    TRY(get_le32(v, &count));
    ENSURE(count <= PCR_BANKS_MAX, PCR_VALUES_INVALID);
    TRY(view_get_bytes(v, SELECTIONS * SELECTION_BYTES, &places, E(PCR_VALUES_INVALID)));
    for (uint32_t i = 0; i < count; i++) {
        struct view rest = view_of(places.data + i * SELECTION_BYTES, SELECTION_BYTES);
        struct pcr_bank_selection *bank = &selection.banks[selection.count++];
        TRY(get_le16(&rest, &bank->bank));
        ENSURE(pcr_bank_digest_size(bank->bank) > 0 && rest.data[0] <= 3, PCR_VALUES_INVALID);
        for (uint32_t byte = 0; byte < rest.data[0]; byte++) {
            bank->mask |= (uint32_t)rest.data[1 + byte] << (8 * byte);
        }
    }
    *out_selection = selection;
    return OK;
}

static ERRFN get_digests(struct view *v, struct buf *out_digests)
{
    uint32_t count;
    TRY(get_le32(v, &count));
    ENSURE(count <= DIGESTS, PCR_VALUES_INVALID);
    for (uint32_t i = 0; i < DIGESTS; i++) {
        uint16_t len;
        struct view bytes;
        TRY(get_le16(v, &len));
        TRY(view_get_bytes(v, TPM_DIGEST_MAX_BYTES, &bytes, E(PCR_VALUES_INVALID)));
        ENSURE(len <= TPM_DIGEST_MAX_BYTES, PCR_VALUES_INVALID);
        if (i < count) {
            TRY(buf_put(out_digests, view_of(bytes.data, len)));
        }
    }
    return OK;
}

static ERRFN read_dump(struct view content, struct pcr_values *values)
{
    struct pcr_selection selection;
    AUTO(buf) digests = NULL;
    uint32_t lists;
    TRY(get_selection(&content, &selection));
    TRY(get_le32(&content, &lists));
    ENSURE(lists <= DIGEST_LISTS_MAX, PCR_VALUES_INVALID);
    TRY(buf_new((size_t)DIGEST_LISTS_MAX * DIGESTS * TPM_DIGEST_MAX_BYTES, &digests));
    for (uint32_t i = 0; i < lists; i++) {
        TRY(get_digests(&content, digests));
    }
    ENSURE(content.len == 0, PCR_VALUES_INVALID);
    return read_plain(buf_view(digests), &selection, values);
}

/* -- any --------------------------------------------------------------------------------------- */

static ERRFN read_bytes(struct view bytes, const struct pcr_selection *selection,
                        struct pcr_values *out_values)
{
    *out_values = (struct pcr_values){0};
    if (IS_OK(read_dump(bytes, out_values))) {
        return OK;
    }
    *out_values = (struct pcr_values){0};
    return read_plain(bytes, selection, out_values);
}

/* One in 256 digests begins with a brace, so that JSON must be text as well. */
ERRFN evidence_pcrs_read(struct view content, const struct pcr_selection *selection,
                         struct pcr_values *out_values)
{
    struct pcr_values values = {0};
    AUTO(buf) decoded = NULL;
    TRY(evidence_decode(content, EVIDENCE_PCRS, &decoded));
    struct view bytes = buf_view(decoded);
    if (!evidence_pcrs_is_text(bytes)) {
        TRY(read_bytes(bytes, selection, &values));
    } else {
        TRY(evidence_json_is(bytes) ? read_json(bytes, &values)
                                    : evidence_pcrs_text(bytes, &values));
    }
    *out_values = values;
    return OK;
}
