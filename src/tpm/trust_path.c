#include "tpm/trust_path.h"

#include <openssl/x509.h>

/* Bounds on what a node can make us do with intermediates of its own making. */
enum { PATH_CERTS_MAX = 32, SIGNATURES_MAX = 64 };

struct step {
    X509 *cert;
    size_t below; /* CA certificates between it and the EK, itself included; 0 for the EK */
};

struct search {
    const struct ek *ek;
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

static bool issued_by(struct search *search, const struct step *step, X509 *issuer)
{
    if (!trust_rules_names(step->cert, issuer) || search->signatures >= SIGNATURES_MAX) {
        return false;
    }
    search->signatures++;
    enum trust_finding finding = trust_rules_signature(step->cert, issuer);
    if (finding == TRUST_FINDING_NONE) {
        finding = trust_rules_issuer(issuer, search->ek, step->below, search->times);
    }
    if (finding != TRUST_FINDING_NONE) {
        note(search, finding);
        return false;
    }
    return true;
}

static X509 *find_root(struct search *search, const struct step *step,
                       const struct trust_certs *roots)
{
    for (size_t i = 0; i < roots->count; i++) {
        if (issued_by(search, step, roots->at[i])) {
            return roots->at[i];
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

static void add_issuers(struct search *search, struct step step, const struct trust_certs *certs)
{
    if (step.below >= TRUST_DEPTH_MAX) {
        note(search, TRUST_FINDING_PATH_LENGTH);
        return;
    }
    for (size_t i = 0; i < certs->count && search->count < PATH_CERTS_MAX; i++) {
        X509 *issuer = certs->at[i];
        if (!seen(search, issuer) && issued_by(search, &step, issuer)) {
            search->steps[search->count] = (struct step){issuer, step.below + 1};
            search->count++;
        }
    }
}

X509 *trust_path_find(const struct trust *trust, const struct trust_certs *node_certs,
                      const struct ek *ek, const struct trust_times *times,
                      enum trust_finding *out_finding)
{
    struct search search = {.ek = ek, .times = times, .steps = {{ek->x509, 0}}, .count = 1};
    for (size_t at = 0; at < search.count; at++) {
        X509 *root = find_root(&search, &search.steps[at], &trust->roots);
        if (root) {
            *out_finding = TRUST_FINDING_NONE;
            return root;
        }
        add_issuers(&search, search.steps[at], &trust->intermediates);
        add_issuers(&search, search.steps[at], node_certs);
    }
    *out_finding =
        search.finding != TRUST_FINDING_NONE ? search.finding : TRUST_FINDING_ISSUER_UNKNOWN;
    return NULL;
}
