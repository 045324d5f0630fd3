#include "node/attempt_steps.h"

#include <limits.h>
#include <stdio.h>

#include "crypto/digest.h"
#include "node/apply.h"
#include "node/enrollment_key.h"
#include "tpm/ak.h"

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

static ERRFN ask(struct attempt *attempt, const struct loaded *loaded, const char *machine_id,
                 struct view request, struct appliance_certificates *out_certificates)
{
    struct appliance_nonce nonce = {0};
    AUTO(quote_evidence) quote = NULL;
    TRY(appliance_nonce(attempt->client, &nonce, &attempt->refusal));
    err_t quoted = take_quote(attempt, loaded, buf_view(nonce.nonce), request, &quote);
    buf_free(nonce.nonce);
    TRY(quoted);
    return appliance_certificates(attempt->client, attempt->endorsement, machine_id, nonce.nonce_id,
                                  quote, request, out_certificates, &attempt->refusal);
}

/* PREFIX and what stands behind it. */
static ERRFN write_part(const struct attempt *attempt, const char *suffix, struct view content)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s%s", attempt->options->enroll_prefix, suffix);
    ENSURE(len > 0 && (size_t)len < sizeof path, TOO_LONG);
    return apply_file(path, content);
}

/* The key first: a certificate without its key would be of no use to anybody. */
static ERRFN write_all(struct attempt *attempt, const struct enrollment_key *key,
                       const struct appliance_certificates *certificates)
{
    TRY(write_part(attempt, ".key", secret_view(key->pem)));
    TRY(write_part(attempt, ".crt", buf_view(certificates->certificate)));
    TRY(write_part(attempt, "-ca.crt", buf_view(certificates->ca)));
    if (certificates->svid) {
        TRY(write_part(attempt, "-svid.crt", buf_view(certificates->svid)));
    }
    progress_say(&attempt->progress, "enrolled", "enrollment certificate%s in %s.crt",
                 certificates->svid ? " and SVID" : "", attempt->options->enroll_prefix);
    return OK;
}

ERRFN attempt_enroll(struct attempt *attempt, const struct loaded *loaded,
                     const struct appliance_verdict *verdict)
{
    struct enrollment_key key;
    struct appliance_certificates certificates = {0};
    TRY(enrollment_key_make(&key));
    err_t done = ask(attempt, loaded, verdict->machine_id, buf_view(key.request), &certificates);
    done = IS_OK(done) ? write_all(attempt, &key, &certificates) : done;
    appliance_certificates_clear(&certificates);
    enrollment_key_clear(&key);
    return done;
}
