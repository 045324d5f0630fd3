/* Every form of EK material; what is accepted goes on to the chain check and to a credential, what
 * is not to its diagnosis. */
#include "tpm/credential.h"
#include "tpm/ek_diagnosis.h"
#include "tpm/trust.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct ek *ek, struct view sent)
{
    AUTO(trust) trust = NULL;
    AUTO(buf) id_object = NULL;
    AUTO(buf) encrypted = NULL;
    if (!IS_OK(trust_new(&trust)) || !IS_OK(buf_new(CREDENTIAL_ID_OBJECT_MAX_BYTES, &id_object)) ||
        !IS_OK(buf_new(CREDENTIAL_ENCRYPTED_SECRET_MAX_BYTES, &encrypted))) {
        abort();
    }
    size_t count;
    struct trust_verdict verdict;
    IGNORE_ERR(trust_add_intermediate(trust, sent, &count));
    if (IS_OK(trust_evaluate(trust, ek, &sent, 1, 1735689600000, &verdict)) &&
        IS_OK(verdict.reason)) {
        abort(); /* nothing is trusted here */
    }
    if (!IS_OK(trust_evaluate(trust, ek, ek->chain, ek->chain_count, 1735689600000, &verdict)) ||
        IS_OK(verdict.reason)) {
        abort(); /* what could not be judged was to be left out */
    }
    /* OpenSSL may refuse to encrypt to a key that no TPM would make. */
    IGNORE_ERR(credential_make(ek, view_text("name"), view_text("secret"), id_object, encrypted));
    IGNORE_ERR(ek_set_public_area(ek, sent));
}

/* What the database keeps is read as what was sent. */
static void keep(const struct ek *ek)
{
    AUTO(ek) kept = NULL;
    if (ek->area && (!IS_OK(ek_parse(buf_view(ek->area), EK_SOURCE_CERT, &kept)) ||
                     !view_equal(kept->cert, ek->cert) || kept->chain_count != ek->chain_count)) {
        abort();
    }
}

/* Takes certificates off an area until it ends; each is shorter than what was left. */
static void walk(struct view area)
{
    struct view der;
    uint32_t quirks = 0;
    size_t before = area.len + 1;
    while (IS_OK(ek_area_next(&area, &der, &quirks))) {
        if (area.len >= before || der.len == 0) {
            abort();
        }
        before = area.len;
        AUTO(ek) ek = NULL;
        IGNORE_ERR(ek_parse_for_display(der, &ek));
    }
}

static void show(struct view sent)
{
    AUTO(ek) ek = NULL;
    AUTO(trust) trust = NULL;
    struct trust_verdict verdict;
    if (!IS_OK(ek_parse_for_display(sent, &ek))) {
        struct ek_diagnosis found = ek_diagnose(sent);
        if (!found.what || found.offset > sent.len) {
            abort();
        }
        return;
    }
    if (!IS_OK(trust_new(&trust)) || !IS_OK(trust_evaluate(trust, ek, NULL, 0, 0, &verdict)) ||
        verdict.chain == TRUST_CHAIN_TRUSTED || verdict.findings == 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const enum ek_source sources[] = {EK_SOURCE_CERT, EK_SOURCE_PUB};
    struct view sent = view_of(data, size);
    walk(sent);
    show(sent);
    for (size_t i = 0; i < 2; i++) {
        AUTO(ek) ek = NULL;
        if (IS_OK(ek_parse(sent, sources[i], &ek))) {
            if (!ek->key || ek->key_type == EK_KEY_NONE || !ek->spki) {
                abort();
            }
            use(ek, sent);
            keep(ek);
        }
    }
    return 0;
}
