#include "tpm/quote_verdict.h"

#include <openssl/evp.h>

static void add_reason(struct quote_verdict *verdict, err_t reason)
{
    if (!IS_OK(reason) && verdict->count < QUOTE_REASONS_MAX) {
        verdict->reasons[verdict->count++] = reason;
    }
}

/* -- signature --------------------------------------------------------------------------------- */

static const struct way {
    uint16_t scheme;
    uint16_t hash_alg;
} rsa_ways[] = {{TPM_ALG_RSASSA, TPM_ALG_SHA256}, {TPM_ALG_RSASSA, TPM_ALG_SHA384},
                {TPM_ALG_RSASSA, TPM_ALG_SHA512}, {TPM_ALG_RSAPSS, TPM_ALG_SHA256},
                {TPM_ALG_RSAPSS, TPM_ALG_SHA384}, {TPM_ALG_RSAPSS, TPM_ALG_SHA512}},
  ecc_ways[] = {{TPM_ALG_ECDSA, TPM_ALG_SHA256},
                {TPM_ALG_ECDSA, TPM_ALG_SHA384},
                {TPM_ALG_ECDSA, TPM_ALG_SHA512}};

/* The way the key, or else the signature, says; NULL when neither does. */
static bool said_way(const struct quote_key *key, const struct way *claim, struct way *out_way)
{
    if (key->scheme != TPM_ALG_NONE) {
        *out_way = (struct way){key->scheme, key->hash_alg};
        return true;
    }
    *out_way = *claim;
    return claim->scheme != TPM_ALG_NONE;
}

static err_t check_one(const struct quote_evidence *evidence, const struct way *way,
                       struct quote_verdict *verdict)
{
    verdict->scheme = way->scheme;
    verdict->hash_alg = way->hash_alg;
    return quote_check_signature_key(evidence->key->key, way->scheme, way->hash_alg,
                                     verdict->quote.attest, evidence->signature);
}

static err_t check_all(const struct quote_evidence *evidence, struct quote_verdict *verdict)
{
    bool rsa = tpm_key_is_rsa(evidence->key->type);
    const struct way *ways = rsa ? rsa_ways : ecc_ways;
    size_t count = rsa ? sizeof rsa_ways / sizeof *rsa_ways : sizeof ecc_ways / sizeof *ecc_ways;
    for (size_t i = 0; i < count; i++) {
        err_t checked = check_one(evidence, &ways[i], verdict);
        if (!IS_E(checked, QUOTE_SIGNATURE)) {
            return checked;
        }
    }
    verdict->scheme = TPM_ALG_NONE;
    verdict->hash_alg = TPM_ALG_NONE;
    return quote_signature_is_sha1(evidence->key->key, verdict->quote.attest, evidence->signature)
               ? E(QUOTE_HASH)
               : E(QUOTE_SIGNATURE);
}

static ERRFN judge_signature(const struct quote_evidence *evidence, struct quote_verdict *verdict)
{
    struct way claim;
    struct way said;
    verdict->part = QUOTE_PART_SIGNATURE;
    TRY(quote_signature_claim(evidence->signature, evidence->key->key, &claim.scheme,
                              &claim.hash_alg, &verdict->offset));
    err_t checked = said_way(evidence->key, &claim, &said) ? check_one(evidence, &said, verdict)
                                                           : check_all(evidence, verdict);
    bool judged = IS_OK(checked) || IS_E(checked, QUOTE_SCHEME) || IS_E(checked, QUOTE_HASH) ||
                  IS_E(checked, QUOTE_SIGNATURE);
    if (!judged) {
        return checked;
    }
    add_reason(verdict, checked);
    return OK;
}

/* -- PCR values -------------------------------------------------------------------------------- */

static bool selected(const struct pcr_selection *selection, const struct pcr_value *value)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (selection->banks[i].bank == value->bank) {
            return selection->banks[i].mask >> value->index & 1;
        }
    }
    return false;
}

/* The TPM hashes PCRs with the hash of the signing scheme (Part 3 section 18.4). Where that is not
 * known, the digest's length tells. */
static uint16_t digest_hash(const struct quote_verdict *verdict)
{
    static const uint16_t hashes[] = {TPM_ALG_SHA256, TPM_ALG_SHA384, TPM_ALG_SHA512};
    if (tpm_hash_md(verdict->hash_alg)) {
        return verdict->hash_alg;
    }
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (tpm_hash_size(hashes[i]) == verdict->quote.pcr_digest.len) {
            return hashes[i];
        }
    }
    return TPM_ALG_NONE;
}

static ERRFN judge_values(const struct pcr_values *values, struct quote_verdict *verdict)
{
    const struct pcr_selection *selection = &verdict->quote.selection;
    struct pcr_values wanted = {0};
    for (size_t i = 0; i < values->count; i++) {
        if (selected(selection, &values->value[i])) {
            wanted.value[wanted.count++] = values->value[i];
        }
    }
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    size_t len = 0;
    err_t hashed = pcr_values_digest(&wanted, selection, digest_hash(verdict), digest, &len);
    if (IS_E(hashed, PCR_VALUES_INVALID)) {
        add_reason(verdict, hashed);
        return OK;
    }
    ENSURE(IS_OK(hashed) || IS_E(hashed, QUOTE_HASH), CRYPTO);
    bool same = IS_OK(hashed) && view_equal(verdict->quote.pcr_digest, view_of(digest, len));
    add_reason(verdict, same ? OK : E(QUOTE_DIGEST));
    return OK;
}

/* -- all of it --------------------------------------------------------------------------------- */

static ERRFN judge(const struct quote_evidence *evidence, struct quote_verdict *verdict)
{
    verdict->part = QUOTE_PART_QUOTE;
    TRY(quote_read(evidence->quote, &verdict->quote, &verdict->offset));
    add_reason(verdict, quote_header_fault(&verdict->quote));
    add_reason(verdict, evidence->key->fault);
    TRY(judge_signature(evidence, verdict));
    bool quote = verdict->quote.type == TPM_ST_ATTEST_QUOTE;
    if (quote && pcr_selection_empty(&verdict->quote.selection)) {
        add_reason(verdict, E(QUOTE_SELECTION));
    }
    if (evidence->nonce && !view_equal(verdict->quote.extra_data, *evidence->nonce)) {
        add_reason(verdict, E(QUOTE_NONCE));
    }
    return quote && evidence->values ? judge_values(evidence->values, verdict) : OK;
}

ERRFN quote_judge(const struct quote_evidence *evidence, struct quote_verdict *out_verdict)
{
    struct quote_verdict verdict = {0};
    err_t judged = judge(evidence, &verdict);
    *out_verdict = verdict; /* also after an error: it says where */
    return judged;
}
