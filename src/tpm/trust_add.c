#include "tpm/trust_rules.h"
#include "tpm/trust_store.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>

static bool contains(const struct trust_certs *certs, const X509 *cert)
{
    for (size_t i = 0; i < certs->count; i++) {
        if (X509_cmp(certs->at[i], cert) == 0) {
            return true;
        }
    }
    return false;
}

/* Moves those of `from` that are new; what is left in it is freed by the caller. */
static ERRFN take_new(struct trust_certs *into, struct trust_certs *from, size_t *out_count)
{
    *out_count = 0;
    if (from->count == 0) {
        return OK; /* reallocarray to nothing would free */
    }
    X509 **grown = reallocarray(into->at, into->count + from->count, sizeof *grown);
    ENSURE(grown, NO_MEMORY);
    into->at = grown;
    into->cap = into->count + from->count;
    size_t taken = 0;
    for (size_t i = 0; i < from->count; i++) {
        if (!contains(into, from->at[i])) {
            into->at[into->count++] = STEAL(from->at[i]);
            taken++;
        }
    }
    *out_count = taken;
    return OK;
}

static ERRFN add(struct trust *trust, struct trust_certs *into, struct view sent, size_t *out_count)
{
    size_t room = TRUST_CERTS_MAX - trust->roots.count - trust->intermediates.count;
    struct trust_certs read = {0};
    ERR_set_mark();
    err_t added = trust_certs_read(sent, room, &read);
    if (IS_OK(added)) {
        added = take_new(into, &read, out_count);
    }
    trust_certs_clear(&read);
    ERR_pop_to_mark();
    return added;
}

/* Its own word for itself, which only says that nothing is to be looked for above it. */
static bool signed_itself(X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    return key && trust_rules_names(cert, cert) && X509_verify(cert, key) == 1;
}

static ERRFN add_mixed(struct trust *trust, struct trust_certs *read, struct trust_mixed *out_added)
{
    struct trust_certs roots = {0};
    size_t kept = 0;
    err_t moved = OK;
    roots.at = calloc(read->count, sizeof *roots.at);
    ENSURE(roots.at, NO_MEMORY);
    for (size_t i = 0; i < read->count; i++) {
        X509 *cert = STEAL(read->at[i]);
        if (signed_itself(cert)) {
            roots.at[roots.count++] = cert;
        } else {
            read->at[kept++] = cert;
        }
    }
    read->count = kept;
    moved = take_new(&trust->roots, &roots, &out_added->roots);
    moved = IS_OK(moved) ? take_new(&trust->intermediates, read, &out_added->intermediates) : moved;
    trust_certs_clear(&roots);
    return moved;
}

ERRFN trust_add_mixed(struct trust *trust, struct view sent, struct trust_mixed *out_added)
{
    size_t room = TRUST_CERTS_MAX - trust->roots.count - trust->intermediates.count;
    struct trust_certs read = {0};
    struct trust_mixed added = {0};
    ERR_set_mark();
    err_t e = trust_certs_collect(sent, room, &read, &added.skipped);
    e = IS_OK(e) ? add_mixed(trust, &read, &added) : e;
    trust_certs_clear(&read);
    ERR_pop_to_mark();
    TRY(e);
    *out_added = added;
    return OK;
}

ERRFN trust_add_root(struct trust *trust, struct view pem_bundle_or_der, size_t *out_count)
{
    return add(trust, &trust->roots, pem_bundle_or_der, out_count);
}

ERRFN trust_add_intermediate(struct trust *trust, struct view pem_bundle_or_der, size_t *out_count)
{
    return add(trust, &trust->intermediates, pem_bundle_or_der, out_count);
}

static ERRFN share(struct trust_certs *into, const struct trust_certs *from)
{
    struct trust_certs shared = {.at = calloc(from->count + 1, sizeof *shared.at)};
    size_t taken;
    ENSURE(shared.at, NO_MEMORY);
    for (size_t i = 0; i < from->count; i++) {
        X509_up_ref(from->at[i]);
        shared.at[shared.count++] = from->at[i];
    }
    err_t added = take_new(into, &shared, &taken);
    trust_certs_clear(&shared);
    return added;
}

ERRFN trust_add_all(struct trust *trust, const struct trust *from, bool anchors)
{
    size_t have = trust->roots.count + trust->intermediates.count;
    size_t more = from->intermediates.count + (anchors ? from->roots.count : 0);
    ENSURE(more <= TRUST_CERTS_MAX - have, TOO_LONG);
    TRY(share(&trust->intermediates, &from->intermediates));
    if (!anchors) {
        return OK;
    }
    TRY(share(&trust->roots, &from->roots));
    for (size_t i = 0; i < from->hashes.cap; i++) {
        const struct trust_hash *hash = &from->hashes.slots[i];
        if (hash->len != 0) {
            TRY(trust_hashes_add(&trust->hashes, view_of(hash->digest, hash->len)));
        }
    }
    return OK;
}
