#include "cli/evidence_ek_parts.h"

#include "tpm/pem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

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
