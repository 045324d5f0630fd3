#include "tpm/trust_path.h"

#include <openssl/x509v3.h>

/* Bounds on what a node can make us do with intermediates of its own making. */
enum { PATH_CERTS_MAX = 32, SIGNATURES_MAX = 64 };

struct step {
    X509 *cert;
    size_t depth;  /* CA certificates between it and the EK, itself included; 0 for the EK */
    size_t counts; /* those of them that pathLenConstraint counts: not self-issued ones */
    size_t below;  /* the step that led to it */
    bool configured;
};

struct search {
    const struct trust_times *times;
    struct step steps[PATH_CERTS_MAX];
    size_t count;
    size_t signatures;
    enum trust_finding finding;
};

/* An issuer that did sign but may not is more telling than a key of the same name that did not
 * sign. */
static void note(struct search *search, enum trust_finding finding)
{
    if (search->finding == TRUST_FINDING_NONE || search->finding == TRUST_FINDING_SIGNATURE) {
        search->finding = finding;
    }
}

/* Constraints hold for every certificate further down but self-issued CAs, RFC 5280 section
 * 4.2.1.10. */
static bool names_allowed(const struct search *search, size_t at, X509 *issuer)
{
    for (;; at = search->steps[at].below) {
        X509 *cert = search->steps[at].cert;
        bool exempt = at > 0 && trust_rules_names(cert, cert);
        if (!exempt && !trust_rules_constraints(issuer, cert)) {
            return false;
        }
        if (at == 0) {
            return true;
        }
    }
}

/* Many CAs may have one name. The one whose key identifier the certificate gives is tried first;
 * that none need match, and that a node writes what it likes there, changes nothing but the order.
 */
static bool key_identifiers_match(X509 *cert, X509 *issuer)
{
    const ASN1_OCTET_STRING *wanted = X509_get0_authority_key_id(cert);
    const ASN1_OCTET_STRING *is = X509_get0_subject_key_id(issuer);
    return wanted && is && ASN1_OCTET_STRING_cmp(wanted, is) == 0;
}

/* Another CA is meant, which has this name too: AMD has an RSA and an ECC root of one name. That
 * the key of the one did not sign is then no news; but only of a certificate that was configured.
 * What a node shows may be forged, and what it says there is not evidence. */
static bool is_namesake(const struct step *step, X509 *issuer)
{
    return step->configured && X509_get0_authority_key_id(step->cert) &&
           X509_get0_subject_key_id(issuer) && !key_identifiers_match(step->cert, issuer);
}

/* Those of the right name, the likeliest first. */
static size_t candidates(X509 *cert, const struct trust_certs *certs,
                         X509 *out_candidates[static SIGNATURES_MAX])
{
    size_t likely = 0;
    size_t count = 0;
    for (size_t i = 0; i < certs->count; i++) {
        X509 *issuer = certs->at[i];
        if (!trust_rules_names(cert, issuer)) {
            continue;
        }
        if (likely < SIGNATURES_MAX && key_identifiers_match(cert, issuer)) {
            if (count < SIGNATURES_MAX) {
                out_candidates[count] = likely < count ? out_candidates[likely] : issuer;
                count++;
            }
            out_candidates[likely++] = issuer;
        } else if (count < SIGNATURES_MAX) {
            out_candidates[count++] = issuer;
        }
    }
    return count;
}

static bool issued_by(struct search *search, size_t at, X509 *issuer, bool root)
{
    const struct step *step = &search->steps[at];
    if (search->signatures >= SIGNATURES_MAX) {
        return false;
    }
    search->signatures++;
    enum trust_finding finding = trust_rules_signature(step->cert, issuer);
    if (finding == TRUST_FINDING_NONE) {
        finding = trust_rules_issuer(issuer, root, step->counts, search->times);
    }
    if (finding == TRUST_FINDING_NONE && !names_allowed(search, at, issuer)) {
        finding = TRUST_FINDING_NAME_CONSTRAINT;
    }
    bool no_news = is_namesake(step, issuer) &&
                   (finding == TRUST_FINDING_SIGNATURE || finding == TRUST_FINDING_ISSUER_KEY);
    if (finding != TRUST_FINDING_NONE && !no_news) {
        note(search, finding);
    }
    return finding == TRUST_FINDING_NONE;
}

static X509 *find_root(struct search *search, size_t at, const struct trust_certs *roots)
{
    X509 *named[SIGNATURES_MAX];
    size_t count = candidates(search->steps[at].cert, roots, named);
    for (size_t i = 0; i < count; i++) {
        if (issued_by(search, at, named[i], true)) {
            return named[i];
        }
    }
    return NULL;
}

static bool seen(const struct search *search, const X509 *cert)
{
    for (size_t i = 0; i < search->count; i++) {
        if (X509_cmp(search->steps[i].cert, cert) == 0) {
            return true;
        }
    }
    return false;
}

static void add_issuers(struct search *search, size_t at, const struct trust_certs *certs,
                        bool configured)
{
    const struct step step = search->steps[at];
    if (step.depth >= TRUST_DEPTH_MAX) {
        note(search, TRUST_FINDING_PATH_LENGTH);
        return;
    }
    X509 *named[SIGNATURES_MAX];
    size_t count = candidates(step.cert, certs, named);
    for (size_t i = 0; i < count && search->count < PATH_CERTS_MAX; i++) {
        X509 *issuer = named[i];
        if (!seen(search, issuer) && issued_by(search, at, issuer, false)) {
            size_t counts = step.counts + !trust_rules_names(issuer, issuer);
            search->steps[search->count] =
                (struct step){issuer, step.depth + 1, counts, at, configured};
            search->count++;
        }
    }
}

void trust_path_find(const struct trust *trust, const struct trust_certs *node_certs,
                     const struct ek *ek, const struct trust_times *times,
                     struct trust_path *out_path)
{
    struct search search = {.times = times, .steps = {{.cert = ek->x509}}, .count = 1};
    for (size_t at = 0; at < search.count; at++) {
        X509 *root = find_root(&search, at, &trust->roots);
        if (root) {
            *out_path = (struct trust_path){.root = root};
            return;
        }
        add_issuers(&search, at, &trust->intermediates, true);
        add_issuers(&search, at, node_certs, false);
    }
    bool unknown = search.finding == TRUST_FINDING_NONE;
    *out_path =
        (struct trust_path){.finding = unknown ? TRUST_FINDING_ISSUER_UNKNOWN : search.finding,
                            .highest = search.steps[search.count - 1].cert};
}
