#include "cli/evidence_ek_parts.h"

#include "tpm/pem.h"
#include "tpm/pkcs7.h"
#include "tpm/public.h"
#include "tpm/spki.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

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

/* -- bytes ------------------------------------------------------------------------------------- */

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

/* -- which is which ---------------------------------------------------------------------------- */

static bool is_ca(const struct ek *ek)
{
    return ek->x509 && X509_check_ca(ek->x509) != 0;
}

static size_t first_that_is_no_ca(const struct ek_evidence *evidence)
{
    for (size_t i = 0; i < evidence->count; i++) {
        if (!is_ca(evidence->ek[i])) {
            return i;
        }
    }
    return 0;
}

static void move_to_front(struct ek_evidence *evidence, size_t at)
{
    struct ek *first = evidence->ek[at];
    memmove(evidence->ek + 1, evidence->ek, at * sizeof *evidence->ek);
    evidence->ek[0] = first;
}

/* A bundle is an EK certificate and the CAs above it, in either order. */
static ERRFN set_cas_apart(struct ek_evidence *evidence, struct trust *trust)
{
    move_to_front(evidence, first_that_is_no_ca(evidence));
    size_t kept = 1;
    err_t added = OK;
    for (size_t i = 1; i < evidence->count; i++) {
        AUTO(ek) ek = STEAL(evidence->ek[i]);
        size_t count;
        if (!is_ca(ek)) {
            evidence->ek[kept++] = STEAL(ek);
        } else if (IS_OK(added)) {
            added = trust_add_intermediate(trust, ek->cert, &count);
        }
    }
    evidence->count = kept;
    return added;
}

ERRFN ek_evidence_read(struct view bytes, struct trust *trust, struct ek_evidence *out_evidence)
{
    *out_evidence = (struct ek_evidence){0};
    ENSURE(bytes.len > 0, EK_MISSING);
    ERR_set_mark();
    err_t read = pem_is(bytes) ? ek_evidence_from_pem(bytes, out_evidence)
                               : ek_evidence_from_bytes(bytes, out_evidence);
    read = IS_OK(read) ? set_cas_apart(out_evidence, trust) : read;
    ERR_pop_to_mark();
    return read;
}
