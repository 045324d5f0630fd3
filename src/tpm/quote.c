#include "tpm/quote.h"

/* Part 2 sections 6.2 and 6.9. */
static const uint32_t tpm_generated_value = 0xFF544347;
static const uint16_t tpm_st_attest_quote = 0x8018;

enum {
    NAME_MAX_BYTES = 2 + TPM_DIGEST_MAX_BYTES,
    EXTRA_DATA_MAX_BYTES = 2 + TPM_DIGEST_MAX_BYTES /* TPM2B_DATA: sizeof TPMT_HA */
};

static ERRFN get_sized(struct view *v, size_t max, struct view *out_bytes)
{
    uint16_t len;
    TRY(view_get_u16(v, &len, E(QUOTE_UNREADABLE)));
    ENSURE(len <= max, QUOTE_UNREADABLE);
    return view_get_bytes(v, len, out_bytes, E(QUOTE_UNREADABLE));
}

/* TPMS_CLOCK_INFO, Part 2 section 10.11.1. */
static ERRFN get_clock(struct view *v, struct quote *q)
{
    uint8_t safe;
    TRY(view_get_u64(v, &q->clock, E(QUOTE_UNREADABLE)));
    TRY(view_get_u32(v, &q->reset_count, E(QUOTE_UNREADABLE)));
    TRY(view_get_u32(v, &q->restart_count, E(QUOTE_UNREADABLE)));
    TRY(view_get_u8(v, &safe, E(QUOTE_UNREADABLE)));
    ENSURE(safe <= 1, QUOTE_UNREADABLE);
    q->clock_safe = safe == 1;
    return OK;
}

/* The body after magic and type: TPMS_ATTEST, Part 2 section 10.12.12, with TPMS_QUOTE_INFO,
 * section 10.12.4. */
static ERRFN get_body(struct view v, struct quote *q)
{
    TRY(get_sized(&v, NAME_MAX_BYTES, &q->qualified_signer));
    TRY(get_sized(&v, EXTRA_DATA_MAX_BYTES, &q->extra_data));
    TRY(get_clock(&v, q));
    TRY(view_get_u64(&v, &q->firmware_version, E(QUOTE_UNREADABLE)));
    TRY(pcr_selection_parse(&v, &q->selection));
    TRY(get_sized(&v, TPM_DIGEST_MAX_BYTES, &q->pcr_digest));
    ENSURE(v.len == 0, QUOTE_UNREADABLE);
    return OK;
}

ERRFN quote_parse(struct view sent, struct quote *out_quote)
{
    ENSURE(sent.len <= QUOTE_MAX_BYTES, QUOTE_UNREADABLE);
    struct view v = sent;
    uint16_t first;
    TRY(view_get_u16(&v, &first, E(QUOTE_UNREADABLE)));
    struct quote q = {.attest = first == v.len ? v : sent};
    v = q.attest;
    uint32_t magic;
    uint16_t type;
    TRY(view_get_u32(&v, &magic, E(QUOTE_UNREADABLE)));
    ENSURE(magic == tpm_generated_value, QUOTE_MAGIC);
    TRY(view_get_u16(&v, &type, E(QUOTE_UNREADABLE)));
    ENSURE(type == tpm_st_attest_quote, QUOTE_TYPE);
    TRY(get_body(v, &q));
    ENSURE(!pcr_selection_empty(&q.selection), QUOTE_SELECTION);
    *out_quote = q;
    return OK;
}
