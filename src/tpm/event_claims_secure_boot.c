/* Secure Boot: what the firmware measured before PCR 7's separator, what verified images, and
 * shim's own state. */
#include "tpm/event_claims_parts.h"

#include "crypto/digest.h"
#include "tpm/efi_variable.h"

#include <string.h>

/* How much of UEFI_VARIABLE_DATA the digest covers. */
enum coverage { COVERS_NOTHING = 0, COVERS_ALL, COVERS_VALUE };

/* PFP wants the whole structure. TPM 1.2 firmware and EV_EFI_VARIABLE_BOOT hash the value alone;
 * shim before 15.3 left one stray byte behind the value out; the entry without its owner's GUID is
 * how early firmware measured authorities. */
static ERRFN find_coverage(struct claim_reader *r, const struct claim_event *e,
                           const struct efi_variable *v, enum coverage *out_coverage)
{
    struct view all = e->record->data;
    bool is = false;
    *out_coverage = COVERS_ALL;
    TRY(event_digest_is(r, e, all, &is));
    if (is) {
        return OK;
    }
    for (size_t len = all.len - 1; len >= v->end && len < all.len && all.len - len <= 2; len--) {
        TRY(event_digest_is(r, e, view_of(all.data, len), &is));
        if (is) {
            return OK;
        }
    }
    *out_coverage = COVERS_VALUE;
    TRY(event_digest_is(r, e, v->data, &is));
    if (!is && v->data.len > EVENT_GUID_BYTES) {
        TRY(event_digest_is(
            r, e, view_of(v->data.data + EVENT_GUID_BYTES, v->data.len - EVENT_GUID_BYTES), &is));
    }
    *out_coverage = is ? COVERS_VALUE : COVERS_NOTHING;
    return OK;
}

/* -- key databases ------------------------------------------------------------------- */

static const struct database {
    const char *variable;
    const char *name;
    const char *subject;
    const char *digest;
} databases[] = {
#define DATABASE(variable, name)                        \
    {                                                   \
        variable, name, name ".subject", name ".digest" \
    }
    DATABASE("PK", "secure_boot.pk"),
    DATABASE("KEK", "secure_boot.kek"),
    DATABASE("db", "secure_boot.db"),
    DATABASE("dbx", "secure_boot.dbx"),
    DATABASE("dbt", "secure_boot.dbt"),
    DATABASE("dbr", "secure_boot.dbr"),
    DATABASE("devdb", "secure_boot.devdb"),
    DATABASE("MokList", "secure_boot.mok_list"),
    DATABASE("MokListX", "secure_boot.mok_list_x"),
    DATABASE("vendor_db", "secure_boot.vendor_db"),
#undef DATABASE
};

static const struct database *database_of(const struct efi_variable *v)
{
    for (size_t i = 0; i < sizeof databases / sizeof databases[0]; i++) {
        if (efi_variable_is(v, databases[i].variable)) {
            return &databases[i];
        }
    }
    return NULL;
}

static ERRFN add_entry(struct claim_reader *r, const struct database *database,
                       const struct efi_signature *entry)
{
    event_text_clear(&r->text);
    TRY(efi_signature_put(&r->text, entry));
    TRY(claim_add_text(r, database->name));
    event_text_clear(&r->text);
    if (efi_signature_is_certificate(entry) && efi_certificate_put_subject(&r->text, entry->data)) {
        TRY(claim_add_text(r, database->subject));
    }
    return OK;
}

static ERRFN add_database(struct claim_reader *r, const struct claim_event *e,
                          const struct database *database, struct view value)
{
    uint8_t digest[SHA256_BYTES];
    TRY(sha256(value, digest));
    event_text_clear(&r->text);
    event_text_put(&r->text, "sha256:");
    event_text_put_hex(&r->text, view_of(digest, sizeof digest));
    TRY(claim_add_text(r, database->digest));
    struct efi_signatures entries = efi_signatures_of(value);
    struct efi_signature entry;
    while (efi_signatures_next(&entries, &entry)) {
        TRY(add_entry(r, database, &entry));
    }
    if (entries.broken) {
        r->claims->truncated = true;
        claims_warn(
            r->claims, true, e->index,
            "The signature database %s of event %zu is malformed; only its beginning was read.",
            database->variable, e->index);
    }
    return OK;
}

/* -- modes --------------------------------------------------------------------------- */

static const struct {
    const char *variable;
    const char *name;
} modes[] = {
    {"SecureBoot", "secure_boot.enabled"},
    {"SetupMode", "secure_boot.setup_mode"},
    {"DeployedMode", "secure_boot.deployed_mode"},
    {"AuditMode", "secure_boot.audit_mode"},
};

/* An absent or empty SecureBoot variable means off (UEFI 2.10 section 32.3). */
static ERRFN add_mode(struct claim_reader *r, const struct efi_variable *v)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (efi_variable_is(v, modes[i].variable)) {
            bool on = v->data.len == 1 && v->data.data[0] == 1;
            return claims_add(r->claims, modes[i].name, on ? "true" : "false");
        }
    }
    return OK;
}

static const char *unread_name(const struct efi_variable *v)
{
    return efi_variable_is(v, "SecureBoot") ? "SecureBoot"
           : database_of(v)                 ? database_of(v)->variable
                                            : NULL;
}

/* Whoever runs after the firmware can extend PCR 7 with anything, so the state of Secure Boot is
 * what stands before its separator. */
static ERRFN add_config(struct claim_reader *r, const struct claim_event *e,
                        const struct efi_variable *v)
{
    const struct database *database = database_of(v);
    bool early = claim_in_pcr(r, e, 7) && !(r->separated >> e->record->pcr & 1);
    if (!early && (database || efi_variable_is(v, "SecureBoot"))) {
        claims_warn(r->claims, true, e->index,
                    "Event %zu measures %s outside of the part of PCR 7 that only firmware writes.",
                    e->index, unread_name(v));
        return OK;
    }
    if (database) {
        return add_database(r, e, database, v->data);
    }
    return claim_in_pcr(r, e, 7) || claim_in_pcr(r, e, 1) ? add_mode(r, v) : OK;
}

ERRFN claims_from_variable_config(struct claim_reader *r, const struct claim_event *e)
{
    struct efi_variable v;
    enum coverage coverage = COVERS_NOTHING;
    if (!efi_variable_parse(e->record->data, &v)) {
        return claim_malformed(r, e, claim_in_pcr(r, e, 7));
    }
    TRY(find_coverage(r, e, &v, &coverage));
    switch (coverage) {
    case COVERS_NOTHING: /* in PCR 1 vendors hash what they like of their settings */
        return claim_unverified(r, e, claim_in_pcr(r, e, 7));
    case COVERS_VALUE: /* which variable it is, is not proved: 01 could be anybody's */
        claims_warn(r->claims, false, e->index,
                    "Event %zu measures the value of a variable without its name; nothing was "
                    "taken from it.",
                    e->index);
        return OK;
    case COVERS_ALL:
        return add_config(r, e, &v);
    }
    return OK;
}

/* -- authorities --------------------------------------------------------------------- */

/* EFI_SIGNATURE_DATA: the owner's GUID, then DER. shim measures some certificates without the GUID.
 */
static struct view certificate_in(struct view value)
{
    static const uint8_t der_sequence = 0x30;
    bool bare = value.len > 2 && value.data[0] == der_sequence && value.data[1] >= 0x80;
    if (bare || value.len <= EVENT_GUID_BYTES) {
        return value;
    }
    return view_of(value.data + EVENT_GUID_BYTES, value.len - EVENT_GUID_BYTES);
}

static bool is_certificate(struct view der)
{
    return der.len > 2 && der.data[0] == 0x30 && der.data[1] >= 0x80;
}

static ERRFN add_authority(struct claim_reader *r, const struct efi_variable *v, bool named)
{
    struct view entry = certificate_in(v->data);
    uint8_t digest[SHA256_BYTES];
    event_text_clear(&r->text);
    if (named) {
        event_text_put_utf16(&r->text, event_text_trim_utf16(v->name));
        event_text_put(&r->text, ":");
    }
    if (is_certificate(entry)) {
        TRY(sha256(entry, digest));
        event_text_put(&r->text, "x509:sha256:");
        event_text_put_hex(&r->text, view_of(digest, sizeof digest));
    } else if (entry.len == SHA256_BYTES) {
        event_text_put(&r->text, "sha256:");
        event_text_put_hex(&r->text, entry);
    } else {
        TRY(sha256(v->data, digest));
        event_text_put(&r->text, "data:sha256:");
        event_text_put_hex(&r->text, view_of(digest, sizeof digest));
    }
    TRY(claim_add_text(r, "secure_boot.authority"));
    event_text_clear(&r->text);
    if (is_certificate(entry) && efi_certificate_put_subject(&r->text, entry)) {
        TRY(claim_add_text(r, "secure_boot.authority.subject"));
    }
    return OK;
}

static ERRFN add_number(struct claim_reader *r, const char *name, struct view value)
{
    event_text_clear(&r->text);
    event_text_put_hex(&r->text, value);
    return claim_add_text(r, name);
}

/* One line for each component: its name and the least generation that may run. */
static ERRFN add_sbat_level(struct claim_reader *r, struct view text)
{
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        event_text_clear(&r->text);
        event_text_put_utf8(&r->text, view_of(text.data, len));
        if (r->text.len > 0) {
            TRY(claim_add_text(r, "secure_boot.sbat_level"));
        }
        len += end != NULL;
        text = view_of(text.data + len, text.len - len);
    }
    return OK;
}

/* Variables of shim that are no keys. */
static ERRFN add_shim_state(struct claim_reader *r, const struct efi_variable *v,
                            bool *out_is_state)
{
    *out_is_state = true;
    if (efi_variable_is(v, "SbatLevel")) {
        return add_sbat_level(r, event_text_trim(v->data));
    }
    if (efi_variable_is(v, "MokListTrusted")) {
        return claims_add(r->claims, "secure_boot.mok_list_trusted",
                          v->data.len > 0 && v->data.data[0] == 1 ? "true" : "false");
    }
    if (efi_variable_is(v, "MokSBState")) {
        return add_number(r, "secure_boot.mok_sb_state", v->data);
    }
    *out_is_state = false;
    return OK;
}

ERRFN claims_from_variable_authority(struct claim_reader *r, const struct claim_event *e)
{
    struct efi_variable v;
    enum coverage coverage = COVERS_NOTHING;
    bool is_state = false;
    if (!efi_variable_parse(e->record->data, &v)) {
        return claim_malformed(r, e, true);
    }
    TRY(find_coverage(r, e, &v, &coverage));
    if (coverage == COVERS_NOTHING) {
        return claim_unverified(r, e, true);
    }
    if (coverage == COVERS_ALL) {
        TRY(add_shim_state(r, &v, &is_state));
    }
    return is_state ? OK : add_authority(r, &v, coverage == COVERS_ALL);
}
