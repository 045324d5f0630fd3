#include "tpm/event_claims_parts.h"

#include <openssl/evp.h>
#include <string.h>

static ERRFN hash(struct claim_reader *r, struct view first, struct view second,
                  uint8_t *out_digest)
{
    ENSURE(EVP_DigestInit_ex2(r->ctx, NULL, NULL) == 1, CRYPTO);
    ENSURE(EVP_DigestUpdate(r->ctx, first.data, first.len) == 1, CRYPTO);
    ENSURE(EVP_DigestUpdate(r->ctx, second.data, second.len) == 1, CRYPTO);
    ENSURE(EVP_DigestFinal_ex(r->ctx, out_digest, NULL) == 1, CRYPTO);
    return OK;
}

ERRFN event_digest_make(struct claim_reader *r, struct view bytes, uint8_t *out_digest)
{
    return hash(r, bytes, VIEW_EMPTY, out_digest);
}

ERRFN event_digest_is_joined(struct claim_reader *r, const struct claim_event *e, struct view first,
                             struct view second, bool *out_is)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    TRY(hash(r, first, second, digest));
    *out_is = view_equal(e->digest, view_of(digest, r->bank->size));
    r->explained = r->explained || *out_is;
    return OK;
}

ERRFN event_digest_is(struct claim_reader *r, const struct claim_event *e, struct view bytes,
                      bool *out_is)
{
    return event_digest_is_joined(r, e, bytes, VIEW_EMPTY, out_is);
}

ERRFN event_digest_is_text(struct claim_reader *r, const struct claim_event *e, struct view text,
                           bool *out_is)
{
    static const uint8_t nul[1] = {0};
    TRY(event_digest_is(r, e, text, out_is));
    return *out_is ? OK : event_digest_is_joined(r, e, text, view_of(nul, 1), out_is);
}
