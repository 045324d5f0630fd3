#include "tpm/event_claims_parts.h"

#include <openssl/evp.h>
#include <string.h>

ERRFN event_digest_is_joined(struct claim_reader *r, const struct claim_event *e, struct view first,
                             struct view second, bool *out_is)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    ENSURE(EVP_DigestInit_ex2(r->ctx, NULL, NULL) == 1, CRYPTO);
    ENSURE(EVP_DigestUpdate(r->ctx, first.data, first.len) == 1, CRYPTO);
    ENSURE(EVP_DigestUpdate(r->ctx, second.data, second.len) == 1, CRYPTO);
    ENSURE(EVP_DigestFinal_ex(r->ctx, digest, NULL) == 1, CRYPTO);
    *out_is = view_equal(e->digest, view_of(digest, r->bank->size));
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
