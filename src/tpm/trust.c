#include "tpm/trust.h"

#include "base/text.h"
#include "tpm/trust_path.h"
#include "tpm/trust_store.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

ERRFN trust_new(struct trust **out_trust)
{
    struct trust *trust = calloc(1, sizeof *trust);
    ENSURE(trust, NO_MEMORY);
    *out_trust = trust;
    return OK;
}

void trust_free(struct trust *trust)
{
    if (!trust) {
        return;
    }
    trust_certs_clear(&trust->roots);
    trust_certs_clear(&trust->intermediates);
    trust_hashes_clear(&trust->hashes);
    free(trust);
}

ERRFN trust_allow_hash(struct trust *trust, struct view hex_text)
{
    uint8_t digest[SHA384_BYTES];
    size_t len = hex_text.len / 2;
    ENSURE(len == SHA256_BYTES || len == SHA384_BYTES, FIELD_INVALID);
    TRY(hex_decode(hex_text, digest, len));
    return trust_hashes_add(&trust->hashes, view_of(digest, len));
}

size_t trust_root_count(const struct trust *trust)
{
    return trust->roots.count;
}

size_t trust_intermediate_count(const struct trust *trust)
{
    return trust->intermediates.count;
}

size_t trust_hash_count(const struct trust *trust)
{
    return trust->hashes.count;
}

static ERRFN read_node_certs(const struct view *sent, size_t count, struct trust_certs *certs)
{
    ENSURE(count <= TRUST_NODE_CERTS_MAX, TOO_LONG);
    for (size_t i = 0; i < count; i++) {
        ENSURE(sent[i].len <= TRUST_NODE_CERT_MAX_BYTES, TOO_LONG);
        TRY(trust_certs_read(sent[i], TRUST_NODE_CERTS_MAX, certs));
    }
    return OK;
}

/* A missing issuer is a gap in what we know; everything else is wrong in what was shown. A
 * self-signed certificate is its own issuer and so nobody's word. */
static enum trust_chain chain_of(enum trust_finding finding)
{
    if (finding == TRUST_FINDING_NONE) {
        return TRUST_CHAIN_TRUSTED;
    }
    return finding == TRUST_FINDING_ISSUER_UNKNOWN ? TRUST_CHAIN_UNTRUSTED : TRUST_CHAIN_INVALID;
}

static enum trust_finding lowest(uint32_t findings)
{
    for (int i = TRUST_FINDING_NONE + 1; i < TRUST_FINDING_COUNT; i++) {
        if (findings & 1U << i) {
            return (enum trust_finding)i;
        }
    }
    return TRUST_FINDING_NONE;
}

static void judge_chain(const struct trust *trust, const struct trust_certs *node_certs,
                        const struct ek *ek, uint64_t now_ms, struct trust_verdict *verdict)
{
    struct trust_times times = {.issued_ms = ek->valid_from_ms, .now_ms = now_ms};
    struct trust_path path;
    trust_path_find(trust, node_certs, ek, &times, &path);
    verdict->findings = trust_rules_ek(ek, now_ms);
    verdict->finding = path.root ? lowest(verdict->findings) : path.finding;
    if (!path.root) {
        verdict->findings |= 1U << path.finding;
    }
    if (path.finding == TRUST_FINDING_ISSUER_UNKNOWN) {
        X509_NAME_oneline(X509_get_issuer_name(path.highest), verdict->missing,
                          sizeof verdict->missing);
    }
    verdict->chain = chain_of(verdict->finding);
    verdict->expired = ek->valid_until_ms < now_ms;
    if (verdict->chain == TRUST_CHAIN_TRUSTED) {
        X509_NAME_oneline(X509_get_subject_name(path.root), verdict->anchor,
                          sizeof verdict->anchor);
    }
}

static err_t reason_of(const struct trust_verdict *verdict)
{
    if (verdict->hash_allowed) {
        return OK;
    }
    switch (verdict->chain) {
    case TRUST_CHAIN_TRUSTED:
        return OK;
    case TRUST_CHAIN_UNTRUSTED:
        return E(EK_NOT_TRUSTED);
    case TRUST_CHAIN_INVALID:
        return E(EK_CHAIN_INVALID);
    case TRUST_CHAIN_NONE:
        return E(EK_NOT_A_CERTIFICATE);
    }
    return E(BUG);
}

ERRFN trust_evaluate(const struct trust *trust, const struct ek *ek,
                     const struct view *node_intermediates, size_t count, uint64_t now_ms,
                     struct trust_verdict *out_verdict)
{
    struct trust_verdict verdict = {.finding = TRUST_FINDING_NO_CERTIFICATE,
                                    .findings = 1U << TRUST_FINDING_NO_CERTIFICATE};
    struct view sha384_of_key = view_of(ek->spki_sha384, sizeof ek->spki_sha384);
    struct view sha256_of_key = view_of(ek->spki_sha256, sizeof ek->spki_sha256);
    verdict.hash_allowed = ek->key && (trust_hashes_has(&trust->hashes, sha384_of_key) ||
                                       trust_hashes_has(&trust->hashes, sha256_of_key));
    struct trust_certs node_certs = {0};
    ERR_set_mark();
    err_t read = read_node_certs(node_intermediates, count, &node_certs);
    if (IS_OK(read) && ek->x509) {
        judge_chain(trust, &node_certs, ek, now_ms, &verdict);
    }
    trust_certs_clear(&node_certs);
    ERR_pop_to_mark();
    TRY(read);
    verdict.reason = reason_of(&verdict);
    *out_verdict = verdict;
    return OK;
}

const char *trust_finding_name(enum trust_finding finding)
{
    switch (finding) {
    case TRUST_FINDING_NONE:
        return "none";
    case TRUST_FINDING_NO_CERTIFICATE:
        return "no_certificate";
    case TRUST_FINDING_ISSUER_UNKNOWN:
        return "issuer_unknown";
    case TRUST_FINDING_SIGNATURE:
        return "signature";
    case TRUST_FINDING_WEAK_SIGNATURE:
        return "weak_signature";
    case TRUST_FINDING_ISSUER_NOT_CA:
        return "issuer_not_ca";
    case TRUST_FINDING_ISSUER_KEY:
        return "issuer_key";
    case TRUST_FINDING_ISSUER_NOT_VALID:
        return "issuer_not_valid";
    case TRUST_FINDING_ISSUER_EXTENSION:
        return "issuer_extension";
    case TRUST_FINDING_PATH_LENGTH:
        return "path_length";
    case TRUST_FINDING_NAME_CONSTRAINT:
        return "name_constraint";
    case TRUST_FINDING_EK_IS_CA:
        return "ek_is_ca";
    case TRUST_FINDING_EK_NOT_YET_VALID:
        return "ek_not_yet_valid";
    case TRUST_FINDING_EK_VALIDITY:
        return "ek_validity";
    case TRUST_FINDING_EK_KEY_USAGE:
        return "ek_key_usage";
    case TRUST_FINDING_EK_PURPOSE:
        return "ek_purpose";
    case TRUST_FINDING_EK_EXTENSION:
        return "ek_extension";
    case TRUST_FINDING_EK_VERSION:
        return "ek_version";
    case TRUST_FINDING_EK_TPM12:
        return "ek_of_tpm_1_2";
    case TRUST_FINDING_EK_KEY:
        return "ek_key";
    case TRUST_FINDING_COUNT:
        break;
    }
    return "none";
}
