/* Windows Measured Boot: SIPA events of wbcl.h in PCR 11 to 14, a handful of those that say how
 * safe a boot was. */
#include "tpm/event_claims_parts.h"

#include "tpm/little_endian.h"

#include <inttypes.h>

enum {
    SIPA_HEADER_BYTES = 8,
    SIPA_AGGREGATION = 0x40000000,
    SIPA_MODULE_AGGREGATION = 0x40010003,
    SIPA_BOOT_COUNTER = 0x00020002,
    SIPA_SI_POLICY = 0x0005000F,
    SIPA_MODULE_PATH = 0x00070001,
    SIPA_MODULE_AUTHENTICODE = 0x00070004,
    SIPA_ELAM_KEY = 0x00090001,
    SIPA_SBCP_INFO = 0x00050029
};

enum form { FORM_NONE = 0, FORM_FLAG, FORM_NUMBER, FORM_HEX };

static const struct fact {
    uint32_t type;
    enum form form;
    const char *claim;
} facts[] = {
    {SIPA_BOOT_COUNTER, FORM_NUMBER, "windows.boot_counter"},
    {0x00040001, FORM_FLAG, "windows.boot_debugging"},
    {0x00040002, FORM_HEX, "windows.boot_revocation_list"},
    {0x00050001, FORM_FLAG, "windows.kernel_debugging"},
    {0x00050002, FORM_FLAG, "windows.code_integrity"},
    {0x00050003, FORM_FLAG, "windows.test_signing"},
    {0x00050004, FORM_NUMBER, "windows.data_execution_prevention"},
    {0x00050005, FORM_FLAG, "windows.safe_mode"},
    {0x00050006, FORM_FLAG, "windows.winpe"},
    {0x0005000A, FORM_NUMBER, "windows.hypervisor_launch_type"},
    {0x0005000D, FORM_FLAG, "windows.hypervisor_debugging"},
    {0x00050012, FORM_NUMBER, "windows.vsm_launch_type"},
    {0x00050013, FORM_HEX, "windows.os_revocation_list"},
    {0x00050021, FORM_FLAG, "windows.flight_signing"},
    {0x00090004, FORM_HEX, "windows.elam_measured"},
    {0x000A0007, FORM_NUMBER, "windows.hvci_policy"},
};

static ERRFN add_number(struct claim_reader *r, const char *claim, struct view value)
{
    uint64_t number = 0;
    if (value.len > sizeof number) {
        return OK;
    }
    for (size_t i = 0; i < value.len; i++) {
        number |= (uint64_t)value.data[i] << (8 * i);
    }
    event_text_clear(&r->text);
    event_text_printf(&r->text, "%" PRIu64, number);
    return claim_add_text(r, claim);
}

static ERRFN add_flag(struct claim_reader *r, const struct fact *fact, bool on)
{
    _Static_assert(sizeof facts / sizeof facts[0] <= 32, "a bit for each");
    uint32_t bit = 1U << (fact - facts);
    if (r->windows_flags[on] & bit) {
        return OK;
    }
    r->windows_flags[on] |= bit;
    return claims_add(r->claims, fact->claim, on ? "true" : "false");
}

static ERRFN add_fact(struct claim_reader *r, const struct fact *fact, struct view value)
{
    switch (fact->form) {
    case FORM_NONE:
        return OK;
    case FORM_FLAG:
        return add_flag(r, fact, event_text_trim(value).len > 0);
    case FORM_NUMBER:
        return add_number(r, fact->claim, value);
    case FORM_HEX:
        event_text_clear(&r->text);
        event_text_put_hex(&r->text, value);
        return claim_add_text(r, fact->claim);
    }
    return OK;
}

static void put_hash(struct event_text *t, uint16_t alg, struct view digest)
{
    /* BCrypt numbers as in wbcl.h are TPM_ALG_IDs. */
    const struct event_bank *bank = event_bank_of(alg);
    event_text_printf(t, "%s:", bank ? bank->name : "hash");
    event_text_put_hex(t, digest);
}

/* SIPAEVENT_SI_POLICY_PAYLOAD: which code integrity policy is in force. */
static ERRFN add_policy(struct claim_reader *r, struct view v)
{
    uint64_t version;
    uint16_t name_bytes;
    uint16_t alg;
    uint32_t digest_bytes;
    struct view name;
    struct view digest;
    if (!le_take_u64(&v, &version) || !le_take_u16(&v, &name_bytes) || !le_take_u16(&v, &alg) ||
        !le_take_u32(&v, &digest_bytes) || !le_take_bytes(&v, name_bytes, &name) ||
        !le_take_bytes(&v, digest_bytes, &digest)) {
        return OK;
    }
    event_text_clear(&r->text);
    event_text_put_utf16(&r->text, event_text_trim_utf16(name));
    event_text_put(&r->text, " ");
    put_hash(&r->text, alg, digest);
    return claim_add_text(r, "windows.code_integrity_policy");
}

/* SIPAEVENT_SBCP_INFO_PAYLOAD_V1: the Secure Boot configuration policy. */
static ERRFN add_boot_policy(struct claim_reader *r, struct view payload)
{
    struct view v = payload;
    uint32_t payload_version;
    uint32_t data_at;
    uint16_t alg;
    uint16_t digest_bytes;
    if (!le_take_u32(&v, &payload_version) || !le_take_u32(&v, &data_at) ||
        !le_take_u16(&v, &alg) || !le_take_u16(&v, &digest_bytes) || data_at > payload.len ||
        digest_bytes > payload.len - data_at) {
        return OK;
    }
    event_text_clear(&r->text);
    put_hash(&r->text, alg, view_of(payload.data + data_at, digest_bytes));
    return claim_add_text(r, "windows.secure_boot_policy");
}

static bool take_element(struct view *v, uint32_t *out_type, struct view *out_value)
{
    uint32_t size;
    return le_take_u32(v, out_type) && le_take_u32(v, &size) && le_take_bytes(v, size, out_value);
}

/* One loaded image; its path may stand before or behind its hash. */
static ERRFN add_module(struct claim_reader *r, struct view elements)
{
    struct view path = VIEW_EMPTY;
    struct view digest = VIEW_EMPTY;
    uint32_t type;
    struct view value;
    while (take_element(&elements, &type, &value)) {
        path = type == SIPA_MODULE_PATH ? value : path;
        digest = type == SIPA_MODULE_AUTHENTICODE ? value : digest;
    }
    if (digest.len == 0) {
        return OK;
    }
    event_text_clear(&r->text);
    event_text_put_utf16(&r->text, event_text_trim_utf16(path));
    event_text_put(&r->text, r->text.len ? " authenticode:" : "authenticode:");
    event_text_put_hex(&r->text, digest);
    return claim_add_text(r, "windows.module");
}

static ERRFN add_element(struct claim_reader *r, uint32_t type, struct view value)
{
    switch (type) {
    case SIPA_MODULE_AGGREGATION:
        return add_module(r, value);
    case SIPA_SI_POLICY:
        return add_policy(r, value);
    case SIPA_SBCP_INFO:
        return add_boot_policy(r, value);
    case SIPA_ELAM_KEY:
        event_text_clear(&r->text);
        event_text_put_utf16(&r->text, event_text_trim_utf16(value));
        return claim_add_text(r, "windows.elam_driver");
    default:
        break;
    }
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (facts[i].type == type) {
            return add_fact(r, &facts[i], value);
        }
    }
    return OK;
}

/* Aggregations hold elements of the same form, so entering one is reading on behind its header; a
 * module's are read together. */
ERRFN claims_from_windows(struct claim_reader *r, const struct claim_event *e)
{
    bool is = false;
    TRY(event_digest_is(r, e, e->record->data, &is));
    if (!is) {
        return claim_unverified(r, e, true);
    }
    struct view v = e->record->data;
    struct view value;
    uint32_t type;
    while (v.len > 0) {
        struct view header = v;
        if (!take_element(&v, &type, &value)) {
            return OK;
        }
        if ((type & SIPA_AGGREGATION) && type != SIPA_MODULE_AGGREGATION) {
            v = view_of(header.data + SIPA_HEADER_BYTES, header.len - SIPA_HEADER_BYTES);
            continue;
        }
        TRY(add_element(r, type, value));
    }
    return OK;
}
