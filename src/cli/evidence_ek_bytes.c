#include "cli/evidence_ek_parts.h"

#include "tpm/pkcs7.h"
#include "tpm/public.h"
#include "tpm/spki.h"

void ek_evidence_clear(struct ek_evidence *evidence)
{
    for (size_t i = 0; i < evidence->count; i++) {
        ek_free(evidence->ek[i]);
    }
    *evidence = (struct ek_evidence){0};
}

static ERRFN add(struct ek_evidence *evidence, struct ek *take_ek)
{
    AUTO(ek) ek = take_ek;
    ENSURE(evidence->count < EK_EVIDENCE_MAX, TOO_LONG);
    evidence->ek[evidence->count++] = STEAL(ek);
    return OK;
}

static ERRFN add_certificate(struct ek_evidence *evidence, struct view der, uint32_t quirks)
{
    struct ek *ek = NULL;
    TRY(ek_parse_for_display(der, &ek));
    ek->quirks |= quirks;
    return add(evidence, ek);
}

static ERRFN read_area(struct view area, struct ek_evidence *evidence)
{
    struct view der;
    uint32_t quirks = 0;
    err_t taken;
    while (IS_OK(taken = ek_area_next(&area, &der, &quirks))) {
        TRY(add_certificate(evidence, der, 0));
    }
    ENSURE(IS_E(taken, NOT_FOUND) && evidence->count > 0, EK_UNREADABLE);
    evidence->ek[0]->quirks |= quirks | (evidence->count > 1 ? EK_QUIRK_SECOND_CERT : 0);
    return OK;
}

/* A public area that is not an EK's still has a key to show. */
static ERRFN read_other_area(struct view sent, struct ek_evidence *evidence)
{
    struct tpm_public pub;
    AUTO(pkey) key = NULL;
    enum tpm_key type;
    AUTO(buf) spki = NULL;
    struct ek *ek = NULL;
    TRY(public_parse(sent, E(EK_UNREADABLE), &pub));
    TRY(public_key(&pub, &key, &type));
    TRY(spki_encode(key, &spki));
    TRY(ek_parse(buf_view(spki), EK_SOURCE_PUB, &ek));
    evidence->area = E(EK_TEMPLATE);
    return add(evidence, ek);
}

static ERRFN read_public(struct view sent, struct ek_evidence *evidence)
{
    struct ek *ek = NULL;
    err_t parsed = ek_parse(sent, EK_SOURCE_PUB, &ek);
    if (IS_E(parsed, EK_TEMPLATE)) {
        return read_other_area(sent, evidence);
    }
    TRY(parsed);
    return add(evidence, ek);
}

/* A chain as vendors hand it out, the EK certificate in it. */
static ERRFN read_bag(struct view sent, struct ek_evidence *evidence)
{
    AUTO(buf) ders = NULL;
    err_t opened = pkcs7_certificates(sent, &ders);
    ENSURE(!IS_E(opened, FIELD_INVALID), EK_UNREADABLE);
    TRY(opened);
    return read_area(buf_view(ders), evidence);
}

static ERRFN move_all(struct ek_evidence *from, struct ek_evidence *to)
{
    to->area = IS_OK(from->area) ? to->area : from->area;
    for (size_t i = 0; i < from->count; i++) {
        TRY(add(to, STEAL(from->ek[i])));
    }
    return OK;
}

ERRFN ek_evidence_from_bytes(struct view sent, struct ek_evidence *evidence)
{
    typedef err_t reads(struct view sent, struct ek_evidence * evidence);
    static reads *const ways[] = {read_area, read_bag, read_public};
    struct ek_evidence found = {0};
    err_t read = E(EK_UNREADABLE);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0] && IS_E(read, EK_UNREADABLE); i++) {
        ek_evidence_clear(&found);
        read = ways[i](sent, &found);
    }
    read = IS_OK(read) ? move_all(&found, evidence) : read;
    ek_evidence_clear(&found);
    if (IS_E(read, EK_UNREADABLE)) {
        evidence->fault = ek_diagnose(sent);
    }
    return read;
}
