/* What userspace of systemd measures: words, into PCR 11, 15, 9 and, once, behind everything that
 * firmware and loaders measured. */
#include "tpm/event_claims_parts.h"

#include <string.h>

/* systemd's texts are in C's escapes, cut at this length. */
enum { TEXT_CUT_AT = 1024 };

static bool starts_with(struct view text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static ERRFN add_behind(struct claim_reader *r, const char *name, struct view text,
                        const char *prefix)
{
    size_t len = strlen(prefix);
    event_text_clear(&r->text);
    event_text_put_utf8(&r->text, view_of(text.data + len, text.len - len));
    return claim_add_text(r, name);
}

ERRFN claims_from_word(struct claim_reader *r, const struct claim_event *e, struct view text)
{
    static const struct {
        uint32_t pcr;
        const char *prefix;
        const char *claim;
    } words[] = {{15, "machine-id:", "machine.id"},
                 {15, "file-system:", "machine.file_system"},
                 {9, "nvpcr-init:", "machine.nvpcr"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (claim_in_pcr(r, e, words[i].pcr) && starts_with(text, words[i].prefix)) {
            return add_behind(r, words[i].claim, text, words[i].prefix);
        }
    }
    return claim_in_pcr(r, e, 11) ? add_behind(r, "uki.phase", text, "") : OK;
}

static bool is_octal(uint8_t c)
{
    return c >= '0' && c <= '7';
}

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape behind its backslash; what is none stands for itself. */
static uint8_t take_escape(struct view *v)
{
    static const char letters[] = "a\ab\bf\fn\nr\rt\tv\v";
    const uint8_t *d = v->data;
    size_t len = 1;
    uint8_t value = d[0];
    if (v->len >= 3 && d[0] == 'x' && hex_value(d[1]) >= 0 && hex_value(d[2]) >= 0) {
        value = (uint8_t)(hex_value(d[1]) << 4 | hex_value(d[2]));
        len = 3;
    } else if (v->len >= 3 && is_octal(d[0]) && is_octal(d[1]) && is_octal(d[2])) {
        value = (uint8_t)((d[0] - '0') << 6 | (d[1] - '0') << 3 | (d[2] - '0'));
        len = 3;
    }
    for (size_t i = 0; len == 1 && i + 1 < sizeof letters; i += 2) {
        if (d[0] == (uint8_t)letters[i]) {
            value = (uint8_t)letters[i + 1];
        }
    }
    *v = view_of(v->data + len, v->len - len);
    return value;
}

static ERRFN unescape(struct view text, struct buf *out_bytes)
{
    while (text.len > 0) {
        uint8_t c = text.data[0];
        text = view_of(text.data + 1, text.len - 1);
        TRY(buf_put_u8(out_bytes, c == '\\' && text.len > 0 ? take_escape(&text) : c));
    }
    return OK;
}

/* Kinds whose digest is the hash of their text. A key's is an HMAC; what else there will be, nobody
 * knows. */
static bool is_of_text(const struct event_record *record)
{
    return strcmp(record->userspace, "unknown") != 0 &&
           strcmp(record->userspace, "volume-key") != 0 &&
           strcmp(record->userspace, "imds-userdata") != 0 && record->data.len > 0 &&
           record->data.len < TEXT_CUT_AT;
}

static ERRFN add_volume_key(struct claim_reader *r, const struct claim_event *e)
{
    static const char prefix[] = "cryptsetup:";
    struct view name = e->record->data;
    if (starts_with(name, prefix)) {
        name = view_of(name.data + strlen(prefix), name.len - strlen(prefix));
    }
    event_text_clear(&r->text);
    event_text_put_utf8(&r->text, name);
    event_text_printf(&r->text, " %s:", r->bank->name);
    event_text_put_hex(&r->text, e->digest);
    return claim_add_text(r, "machine.volume_key");
}

ERRFN claims_from_userspace(struct claim_reader *r, const struct claim_event *e)
{
    AUTO(buf) plain = NULL;
    struct view text = e->record->data;
    bool is = false;
    TRY(event_digest_is(r, e, text, &is));
    if (!is && text.len > 0 && memchr(text.data, '\\', text.len)) {
        TRY(buf_new(text.len, &plain));
        TRY(unescape(text, plain));
        text = buf_view(plain);
        TRY(event_digest_is(r, e, text, &is));
    }
    if (is) {
        return claims_from_word(r, e, text);
    }
    if (strcmp(e->record->userspace, "volume-key") == 0 && claim_in_pcr(r, e, 15)) {
        return add_volume_key(r, e);
    }
    return is_of_text(e->record) ? claim_unverified(r, e, true) : OK;
}
