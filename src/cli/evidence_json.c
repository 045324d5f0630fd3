#include "cli/evidence_json.h"

#include "https/json.h"

bool evidence_json_is(struct view content)
{
    for (size_t i = 0; i < content.len; i++) {
        uint8_t c = content.data[i];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            return c == '{';
        }
    }
    return false;
}

enum { NAMES_MAX = 8 };

/* Keylime has everything about a quote in one text called "quote". */
static const char *const names[EVIDENCE_KINDS][NAMES_MAX] = {
    [EVIDENCE_EK] = {"certificate", "Certificate", "ekcert", "ek_cert", "ekCert", "ek_tpm", "ekPub",
                     "ek_pub"},
    [EVIDENCE_QUOTE] = {"quote", "Quote", "message"},
    [EVIDENCE_SIGNATURE] = {"signature", "Signature", "raw_sig", "rawSig", "quote"},
    [EVIDENCE_AK] = {"ak_pub", "akPub", "aik_tpm", "ak_tpm", "Public"},
    [EVIDENCE_PCRS] = {"quote"},
};

static const json_t *text_of(const json_t *object, enum evidence_kind kind)
{
    for (size_t i = 0; i < NAMES_MAX && names[kind][i]; i++) {
        const json_t *member = json_object_get(object, names[kind][i]);
        if (json_is_string(member)) {
            return member;
        }
    }
    return NULL;
}

static const json_t *find(json_t *object, enum evidence_kind kind)
{
    const json_t *found = text_of(object, kind);
    const char *name;
    json_t *member;
    json_object_foreach(object, name, member)
    {
        found = found ? found : text_of(member, kind);
        found = found ? found : text_of(json_array_get(member, 0), kind);
    }
    return found;
}

ERRFN evidence_json_member(struct view text, enum evidence_kind kind, struct buf **out_text)
{
    AUTO(json) object = NULL;
    TRY(json_read(text, &object));
    const json_t *found = find(object, kind);
    ENSURE(found, FIELD_MISSING);
    return buf_copy(view_of(json_string_value(found), json_string_length(found)), out_text);
}
