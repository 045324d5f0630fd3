#include "node/attempt_steps.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

ERRFN attempt_tpm_open(struct attempt *attempt, struct tpm **out_tpm)
{
    alarm(TPM_DEADLINE_S);
    progress_begin(&attempt->progress);
    return tpm_open(attempt->options->tcti, out_tpm);
}

void attempt_tpm_close(struct tpm *tpm)
{
    tpm_close(tpm);
    alarm(0);
}

static const char *finding_text(enum ek_finding finding)
{
    switch (finding) {
    case EK_FINDING_UNREADABLE:
        return "cannot be read";
    case EK_FINDING_UNSUPPORTED:
        return "is for a kind of key that is not supported";
    case EK_FINDING_MISMATCH:
        return "is for a key that this TPM does not make";
    case EK_FINDING_NONE:
    case EK_FINDING_USED:
        break;
    }
    return NULL;
}

static void tell_endorsement(struct attempt *attempt, const struct endorsement *found)
{
    for (size_t i = 0; i < EK_TEMPLATES_COUNT; i++) {
        const char *text = finding_text(found->findings[i]);
        if (text) {
            progress_say(&attempt->progress, "ek_certificate_skipped",
                         "the EK certificate at 0x%08X %s", ek_templates[i].certificate_index,
                         text);
        }
    }
    char hex[HEX_TEXT_SIZE(SHA384_BYTES)];
    hex_encode(view_of(found->ek->spki_sha384, SHA384_BYTES), hex);
    progress_say(&attempt->progress, "ek_found", "EK %s (%s), %s, fingerprint %s",
                 ek_key_name(found->ek->key_type), found->template->name,
                 found->certificate ? "with certificate" : "no certificate in the TPM", hex);
}

ERRFN attempt_find_endorsement(struct attempt *attempt, struct tpm *tpm)
{
    if (attempt->endorsement) {
        return OK;
    }
    TRY(endorsement_find(tpm, attempt->options->ek, &attempt->endorsement));
    tell_endorsement(attempt, attempt->endorsement);
    return OK;
}

static ERRFN key_path(const struct attempt *attempt, char out_path[static PATH_MAX])
{
    int len = snprintf(out_path, PATH_MAX, "%s/ak.blob", attempt->options->state);
    ENSURE(len > 0 && len < PATH_MAX, TOO_LONG);
    return OK;
}

static ERRFN save_key(const struct attempt *attempt)
{
    char path[PATH_MAX];
    TRY(key_path(attempt, path));
    if (mkdir(attempt->options->state, 0700) != 0 && errno != EEXIST) {
        return err_from_errno(errno);
    }
    return attestation_key_save(attempt->key, path);
}

/* A key that can't be kept does for this run; the next one makes another. */
static ERRFN new_key(struct attempt *attempt, struct tpm *tpm)
{
    enum ak_kind kind =
        attempt->options->ak != AK_KIND_NONE ? attempt->options->ak : attestation_key_best(tpm);
    ENSURE(kind != AK_KIND_NONE, AK_ALGORITHM);
    TRY(attestation_key_create(tpm, kind, &attempt->key));
    progress_say(&attempt->progress, "ak_created", "new attestation key %s", ak_kind_name(kind));
    if (attempt->options->state && !IS_OK(save_key(attempt))) {
        progress_say(&attempt->progress, "ak_not_kept", "the attestation key can't be kept in %s",
                     attempt->options->state);
    }
    return OK;
}

/* A blob that another TPM made, or this one before it was cleared, does not load: then there is a
 * new key. */
ERRFN attempt_load_key(struct attempt *attempt, struct loaded *loaded)
{
    if (!attempt->key && attempt->options->state) {
        char path[PATH_MAX];
        TRY(key_path(attempt, path));
        IGNORE_ERR(attestation_key_read(path, &attempt->key));
    }
    enum ak_kind wanted = attempt->options->ak;
    if (attempt->key && (wanted == AK_KIND_NONE || attempt->key->kind == wanted)) {
        err_t e = attestation_key_load(loaded->tpm, attempt->key, &loaded->ak);
        if (IS_OK(e) || IS_E(e, TPM_ABSENT)) {
            return e;
        }
    }
    attestation_key_free(STEAL(attempt->key));
    TRY(new_key(attempt, loaded->tpm));
    return attestation_key_load(loaded->tpm, attempt->key, &loaded->ak);
}
