#include "node/attempt_steps.h"

#include <string.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "node/enrollment_key.h"
#include "node/pause.h"
#include "tpm/ak.h"

static const char *const kind_names[CERTIFICATE_KINDS] = {
    [CERTIFICATE_ENROLLMENT] = "enrollment certificate", [CERTIFICATE_SVID] = "SVID"};
static const char *const kind_files[CERTIFICATE_KINDS] = {
    [CERTIFICATE_ENROLLMENT] = ".crt", [CERTIFICATE_SVID] = "-svid.crt"};

/* -- one certificate --------------------------------------------------------------------------- */

/* The AK that attested signs over the appliance's nonce and this very request. */
static ERRFN take_quote(struct attempt *attempt, const struct loaded *loaded, struct view nonce,
                        struct view request, struct quote_evidence **out_quote)
{
    uint8_t qualifying[SHA256_BYTES];
    AUTO(ak) ak = NULL;
    AUTO(buf) both = NULL;
    TRY(buf_new(nonce.len + request.len, &both));
    TRY(buf_put(both, nonce));
    TRY(buf_put(both, request));
    TRY(sha256(buf_view(both), qualifying));
    TRY(ak_parse(buf_view(attempt->key->public_area), &ak));
    return quote_take(loaded->tpm, loaded->ak.handle, ak->hash_alg, &attempt->selection,
                      view_of(qualifying, sizeof qualifying), out_quote);
}

static ERRFN ask(struct attempt *attempt, const struct loaded *loaded, enum certificate_kind kind,
                 struct view csr, struct appliance_certificate *out_certificate)
{
    struct appliance_nonce nonce = {0};
    AUTO(quote_evidence) quote = NULL;
    TRY(appliance_nonce(attempt->client, &nonce, &attempt->refusal));
    err_t quoted = take_quote(attempt, loaded, buf_view(nonce.nonce), csr, &quote);
    buf_free(nonce.nonce);
    TRY(quoted);
    const struct appliance_certificate_request request = {.kind = kind,
                                                          .endorsement = attempt->endorsement,
                                                          .nonce_id = nonce.nonce_id,
                                                          .quote = quote,
                                                          .csr = csr};
    return appliance_certificate(attempt->client, attempt->renewal.machine_id, &request,
                                 out_certificate, &attempt->refusal);
}

/* A certificate for another key or machine would be of no use, and replaces none. */
static ERRFN take_into(const struct renewal *renewal, struct certificate_set *set,
                       enum certificate_kind kind, struct enrollment_key *key,
                       struct appliance_certificate *got)
{
    struct certificate_facts facts;
    err_t read = certificate_check(buf_view(got->certificate), secret_view(key->pem), &facts);
    ENSURE(!IS_E(read, NO_MEMORY), NO_MEMORY);
    ENSURE(IS_OK(read) && renewal_fits(renewal, kind, &facts), ANSWER_INVALID);
    certificate_pair_clear(&set->pairs[kind]);
    set->pairs[kind] =
        (struct certificate_pair){.key = STEAL(key->pem), .certificate = STEAL(got->certificate)};
    buf_free(set->ca);
    set->ca = STEAL(got->ca);
    return OK;
}

static ERRFN obtain(struct attempt *attempt, const struct loaded *loaded,
                    enum certificate_kind kind, struct certificate_set *set)
{
    struct enrollment_key key;
    struct appliance_certificate got = {0};
    TRY(enrollment_key_make(&key));
    err_t done = ask(attempt, loaded, kind, buf_view(key.request), &got);
    done = IS_OK(done) ? take_into(&attempt->renewal, set, kind, &key, &got) : done;
    appliance_certificate_clear(&got);
    enrollment_key_clear(&key);
    return done;
}

/* -- those that are due ------------------------------------------------------------------------ */

static ERRFN check_wanted(struct attempt *attempt, enum certificate_kind kind, bool all,
                          bool *out_wanted)
{
    *out_wanted = all || renewal_is_due(&attempt->renewal, kind);
    if (*out_wanted && kind == CERTIFICATE_SVID) {
        TRY(appliance_issues_svids(attempt->client, out_wanted, &attempt->refusal));
        attempt->renewal.svids_off = !*out_wanted;
    }
    return OK;
}

/* A refusal that is about one kind, such as too many of it, is none of the other. */
static bool concerns_all(const struct attempt *attempt, err_t e)
{
    return !IS_E(e, REFUSED) || attempt->refusal.status == 403;
}

static ERRFN obtain_if_due(struct attempt *attempt, const struct loaded *loaded, bool all,
                           enum certificate_kind kind, struct certificate_set *set,
                           bool *out_obtained)
{
    bool wanted = false;
    TRY(check_wanted(attempt, kind, all, &wanted));
    if (wanted) {
        TRY(certificate_set_rehearse(attempt->options->enroll_prefix));
        TRY(obtain(attempt, loaded, kind, set));
        *out_obtained = true;
    }
    return OK;
}

/* The first error, and the refusal that goes with it. */
static ERRFN obtain_due(struct attempt *attempt, const struct loaded *loaded, bool all,
                        struct certificate_set *set, bool obtained[static CERTIFICATE_KINDS])
{
    err_t first = OK;
    struct refusal refusal = attempt->refusal;
    for (size_t i = 0; i < CERTIFICATE_KINDS && (all || !pause_ended()); i++) {
        err_t done =
            obtain_if_due(attempt, loaded, all, (enum certificate_kind)i, set, &obtained[i]);
        if (!IS_OK(done) && IS_OK(first)) {
            first = done;
            refusal = attempt->refusal;
        }
        if (!IS_OK(done) && concerns_all(attempt, done)) {
            break;
        }
    }
    attempt->refusal = refusal;
    return first;
}

static void tell_obtained(struct attempt *attempt, size_t kind)
{
    const struct schedule_certificate *c = &attempt->renewal.certificates[kind];
    char from[CLOCK_TEXT_SIZE];
    char until[CLOCK_TEXT_SIZE];
    char now[CLOCK_TEXT_SIZE];
    clock_format(c->from_ms, from);
    clock_format(c->until_ms, until);
    clock_format(clock_utc_ms(), now);
    progress_say(&attempt->progress, "enrolled", "%s until %s in %s%s", kind_names[kind], until,
                 attempt->options->enroll_prefix, kind_files[kind]);
    if (c->clock_doubted) {
        progress_say(&attempt->progress, "clock_differs",
                     "set this machine's clock: it says %s, and the %s that was just issued is "
                     "valid from %s to %s",
                     now, kind_names[kind], from, until);
    }
}

/* What is on disk and still of use, to go with what is new. */
static void read_rest(struct attempt *attempt, struct certificate_set *set)
{
    const char *prefix = attempt->options->enroll_prefix;
    renewal_look(&attempt->renewal, prefix, NULL);
    IGNORE_ERR(certificate_set_read(prefix, set));
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        if (!attempt->renewal.certificates[i].held) {
            certificate_pair_clear(&set->pairs[i]);
        }
    }
}

static ERRFN put_into_force(struct attempt *attempt, const struct certificate_set *set,
                            const bool obtained[static CERTIFICATE_KINDS])
{
    const char *prefix = attempt->options->enroll_prefix;
    if (!obtained[CERTIFICATE_ENROLLMENT] && !obtained[CERTIFICATE_SVID]) {
        return OK;
    }
    TRY(certificate_set_write(prefix, set));
    renewal_look(&attempt->renewal, prefix, obtained);
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        if (obtained[i]) {
            tell_obtained(attempt, i);
        }
    }
    return OK;
}

ERRFN attempt_certify(struct attempt *attempt, const struct loaded *loaded, bool all)
{
    struct certificate_set set = {0};
    bool obtained[CERTIFICATE_KINDS] = {false};
    read_rest(attempt, &set);
    err_t asked = obtain_due(attempt, loaded, all, &set, obtained);
    err_t kept = put_into_force(attempt, &set, obtained);
    certificate_set_clear(&set);
    return IS_OK(kept) ? asked : kept;
}
