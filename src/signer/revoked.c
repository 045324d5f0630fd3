#include "signer/revoked.h"

#include "pki/revocation.h"
#include "sql/certificates.h"

_Static_assert((int)REVOCATION_DER_MAX_BYTES == (int)REVOCATION_LIST_MAX_BYTES, "the database takes the longest list");

static bool is_stale(const struct revocation_list *list, uint64_t revocations, uint64_t now_ms)
{
    return list->revocations != revocations || now_ms < list->made_ms ||
           now_ms - list->made_ms >= (list->next_ms - list->made_ms) / 2;
}

static err_t add_revoked(void *context, const struct certificate *certificate)
{
    return revocation_add(context, certificate->serial, certificate->revoked_ms, certificate->revoked_reason);
}

static ERRFN make_list(struct call *call, const struct revocation_list *before, uint64_t revocations, struct buf *storage)
{
    const struct signer *s = call->signer;
    AUTO(revocation) list = NULL;
    struct revocation_list next = {
        .number = before->number + 1,
        .made_ms = call->now_ms,
        .next_ms = call->now_ms + s->settings.crl_ms,
        .revocations = revocations,
    };
    TRY(revocation_new(s->ca, &list));
    /* One that has just ended stays on a list once more (RFC 5280 section 3.3); one more than fits tells that there are too many. */
    uint64_t since_ms = before->made_ms < call->now_ms ? before->made_ms : call->now_ms;
    TRY(certificate_list_revoked(s->db, since_ms, REVOCATION_ENTRIES_MAX + 1, add_revoked, list));
    buf_truncate(storage, 0);
    TRY(revocation_finish(list, next.number, next.made_ms, next.next_ms, storage));
    next.der = buf_view(storage);
    return revocation_list_put(s->db, &next);
}

ERRFN revoked_list(struct call *call, struct buf *storage, struct view *out_der)
{
    struct revocation_list list = {0};
    uint64_t revocations;
    TRY(certificate_count_revocations(call->signer->db, &revocations));
    err_t found = revocation_list_get(call->signer->db, storage, &list);
    if (!IS_E(found, NOT_FOUND)) {
        TRY(found);
    }
    if (is_stale(&list, revocations, call->now_ms)) {
        TRY(make_list(call, &list, revocations, storage));
    }
    *out_der = buf_view(storage);
    return OK;
}
