#include "tpm/quote.h"

#include <string.h>

/* Part 2 sections 6.2 and 6.9. */
static const uint32_t tpm_generated_value = 0xFF544347;

enum {
    NAME_MAX_BYTES = 2 + TPM_DIGEST_MAX_BYTES,
    EXTRA_DATA_MAX_BYTES = 2 + TPM_DIGEST_MAX_BYTES /* TPM2B_DATA: sizeof TPMT_HA */
};

static ERRFN get_sized(struct view *v, size_t max, struct view *out_bytes)
{
    struct view rest = *v;
    uint16_t len;
    TRY(view_get_u16(&rest, &len, E(QUOTE_UNREADABLE)));
    ENSURE(len <= max, QUOTE_UNREADABLE);
    TRY(view_get_bytes(&rest, len, out_bytes, E(QUOTE_UNREADABLE)));
    *v = rest;
    return OK;
}

static ERRFN get_header(struct view *v, struct quote *q)
{
    TRY(view_get_u32(v, &q->magic, E(QUOTE_UNREADABLE)));
    return view_get_u16(v, &q->type, E(QUOTE_UNREADABLE));
}

/* TPMS_CLOCK_INFO, Part 2 section 10.11.1. */
static ERRFN get_clock(struct view *v, struct quote *q)
{
    struct view before;
    uint8_t safe;
    TRY(view_get_u64(v, &q->clock, E(QUOTE_UNREADABLE)));
    TRY(view_get_u32(v, &q->reset_count, E(QUOTE_UNREADABLE)));
    TRY(view_get_u32(v, &q->restart_count, E(QUOTE_UNREADABLE)));
    before = *v;
    TRY(view_get_u8(v, &safe, E(QUOTE_UNREADABLE)));
    if (safe > 1) {
        *v = before;
        return E(QUOTE_UNREADABLE);
    }
    q->clock_safe = safe == 1;
    return OK;
}

/* What every TPMS_ATTEST has behind magic and type, Part 2 section 10.12.12. */
static ERRFN get_common(struct view *v, struct quote *q)
{
    TRY(get_sized(v, NAME_MAX_BYTES, &q->qualified_signer));
    TRY(get_sized(v, EXTRA_DATA_MAX_BYTES, &q->extra_data));
    TRY(get_clock(v, q));
    return view_get_u64(v, &q->firmware_version, E(QUOTE_UNREADABLE));
}

/* TPMS_QUOTE_INFO, section 10.12.4, to the end. */
static ERRFN get_quote_info(struct view *v, struct quote *q)
{
    TRY(pcr_selection_parse(v, &q->selection));
    TRY(get_sized(v, TPM_DIGEST_MAX_BYTES, &q->pcr_digest));
    ENSURE(v->len == 0, QUOTE_UNREADABLE);
    return OK;
}

/* TPMS_ATTEST as sent, or out of the TPM2B_ATTEST that was sent. */
static ERRFN find_attest(struct view sent, struct view *out_attest)
{
    ENSURE(sent.len <= QUOTE_MAX_BYTES, QUOTE_UNREADABLE);
    struct view v = sent;
    uint16_t first;
    TRY(view_get_u16(&v, &first, E(QUOTE_UNREADABLE)));
    *out_attest = first == v.len ? v : sent;
    return OK;
}

err_t quote_header_fault(const struct quote *quote)
{
    ENSURE(quote->magic == tpm_generated_value, QUOTE_MAGIC);
    ENSURE(quote->type == TPM_ST_ATTEST_QUOTE, QUOTE_TYPE);
    return OK;
}

ERRFN quote_parse(struct view sent, struct quote *out_quote)
{
    struct quote q = {0};
    TRY(find_attest(sent, &q.attest));
    struct view v = q.attest;
    TRY(get_header(&v, &q));
    TRY(quote_header_fault(&q));
    TRY(get_common(&v, &q));
    TRY(get_quote_info(&v, &q));
    ENSURE(!pcr_selection_empty(&q.selection), QUOTE_SELECTION);
    *out_quote = q;
    return OK;
}

static ERRFN read_all(struct view *v, struct quote *q)
{
    TRY(get_header(v, q));
    TRY(get_common(v, q));
    return q->type == TPM_ST_ATTEST_QUOTE ? get_quote_info(v, q) : OK;
}

ERRFN quote_read(struct view sent, struct quote *out_quote, size_t *out_offset)
{
    struct quote q = {0};
    *out_offset = 0;
    TRY(find_attest(sent, &q.attest));
    struct view v = q.attest;
    err_t read = read_all(&v, &q);
    *out_offset = sent.len - v.len;
    TRY(read);
    *out_quote = q;
    return OK;
}

const char *quote_type_name(uint16_t type)
{
    switch ((enum tpm_st)type) {
    case TPM_ST_ATTEST_NV:
        return "NV certification";
    case TPM_ST_ATTEST_COMMAND_AUDIT:
        return "command audit";
    case TPM_ST_ATTEST_SESSION_AUDIT:
        return "session audit";
    case TPM_ST_ATTEST_CERTIFY:
        return "key certification";
    case TPM_ST_ATTEST_QUOTE:
        return "quote";
    case TPM_ST_ATTEST_TIME:
        return "time attestation";
    case TPM_ST_ATTEST_CREATION:
        return "creation certification";
    case TPM_ST_ATTEST_NV_DIGEST:
        return "NV digest certification";
    }
    return NULL;
}

/* TPM_QUOTE_INFO: TPM_STRUCT_VER 1.1.0.0 and "QUOT"; TPM_QUOTE_INFO2: tag 0x0036 and "QUT2" (TPM
 * Main 1.2 Part 2 sections 11.3 and 11.4). */
bool quote_is_tpm12(struct view sent)
{
    return (sent.len >= 8 && memcmp(sent.data, "\x01\x01\x00\x00QUOT", 8) == 0) ||
           (sent.len >= 6 && memcmp(sent.data, "\x00\x36QUT2", 6) == 0);
}
