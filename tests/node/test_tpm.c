#include "node/tpm_activation.h"
#include "node/tpm_attestation_key.h"
#include "node/tpm_endorsement.h"
#include "node/tpm_nv.h"
#include "node/tpm_quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/node/swtpm.h"
#include "tpm/ak.h"
#include "tpm/credential.h"
#include "tpm/quote.h"

#define ASSERT_OK(expr)   assert_string_equal(err_reason(expr), "ok")
#define ASSERT_E(expr, e) assert_string_equal(err_reason(expr), err_reason(E(e)))

static struct swtpm certified; /* with EK certificates */
static struct swtpm bare;      /* without */

static int start(void **state)
{
    (void)state;
    setenv("TSS2_LOG", "all+none", 1);
    ASSERT_OK(secret_setup());
    swtpm_start(true, &certified);
    swtpm_start(false, &bare);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    swtpm_stop(&certified);
    swtpm_stop(&bare);
    return 0;
}

static struct tpm *open_tpm(const struct swtpm *swtpm)
{
    struct tpm *tpm;
    ASSERT_OK(tpm_open(swtpm->tcti, &tpm));
    return tpm;
}

static size_t handles_of(struct tpm *tpm, TPM2_HANDLE first)
{
    TPM2_HANDLE handles[64];
    size_t count = 0;
    ASSERT_OK(tpm_handles(tpm, first, 64, handles, &count));
    return count;
}

static void assert_nothing_loaded(struct tpm *tpm)
{
    assert_int_equal(handles_of(tpm, 0x80000000), 0); /* transient objects */
    assert_int_equal(handles_of(tpm, 0x02000000), 0); /* loaded sessions */
    assert_int_equal(handles_of(tpm, 0x03000000), 0); /* saved sessions */
}

/* -- endorsement keys -------------------------------------------------------------------------- */

static struct endorsement *find(struct tpm *tpm, enum tpm_key wanted)
{
    struct endorsement *found;
    ASSERT_OK(endorsement_find(tpm, wanted, &found));
    return found;
}

static void strongest_certified_ek_is_found_first(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&certified);
    AUTO(endorsement) found = find(tpm, TPM_KEY_NONE);
    assert_string_equal(found->template->name, "H-3");
    assert_int_equal(found->ek->key_type, EK_KEY_P384);
    assert_int_equal(found->ek->name_alg, TPM2_ALG_SHA384);
    assert_int_equal(found->ek->symmetric_bits, 256);
    assert_non_null(found->certificate);
    assert_int_equal(found->findings[0], EK_FINDING_USED);
    assert_nothing_loaded(tpm);
}

static void certified_ek_of_the_wanted_kind_is_found(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&certified);
    AUTO(endorsement) found = find(tpm, TPM_KEY_RSA_2048);
    assert_string_equal(found->template->name, "L-1");
    assert_int_equal(found->ek->key_type, EK_KEY_RSA_2048);
    assert_non_null(found->certificate);
}

/* As the agent introduces it: the certificate first, the key only when it is needed. */
static void certificate_is_read_without_making_its_key(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&certified);
    AUTO(endorsement) known = find(tpm, TPM_KEY_RSA_2048);
    AUTO(endorsement) read = NULL;
    ASSERT_OK(endorsement_read(tpm, known->template, &read));
    assert_null(read->public_area);
    assert_memory_equal(read->ek->spki_sha384, known->ek->spki_sha384, SHA384_BYTES);
    assert_true(view_equal(buf_view(read->certificate), buf_view(known->certificate)));
    ASSERT_OK(endorsement_find_key(tpm, read));
    assert_true(view_equal(buf_view(read->public_area), buf_view(known->public_area)));
    AUTO(tpm_transient) key = TPM_TRANSIENT_NONE;
    ASSERT_OK(endorsement_load(tpm, read, &key));
}

static void certificate_that_is_not_there_is_not_read(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&bare);
    struct endorsement *none = NULL;
    for (size_t i = 0; i < EK_TEMPLATES_COUNT; i++) {
        ASSERT_E(endorsement_read(tpm, &ek_templates[i], &none), NOT_FOUND);
    }
    assert_null(none);
}

static void tpm_without_certificates_shows_its_public_key(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&bare);
    AUTO(endorsement) found = find(tpm, TPM_KEY_NONE);
    assert_null(found->certificate);
    assert_int_equal(found->ek->source, EK_SOURCE_PUB);
    assert_int_equal(found->findings[0], EK_FINDING_NONE);
    assert_nothing_loaded(tpm);
}

static void ek_is_the_same_every_time(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&bare);
    AUTO(endorsement) first = find(tpm, TPM_KEY_P256);
    AUTO(endorsement) again = find(tpm, TPM_KEY_P256);
    assert_memory_equal(first->ek->spki_sha384, again->ek->spki_sha384, SHA384_BYTES);
    AUTO(tpm_transient) key = TPM_TRANSIENT_NONE;
    ASSERT_OK(endorsement_load(tpm, first, &key));
}

static void ek_that_became_another_does_not_load(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&bare);
    AUTO(endorsement) found = find(tpm, TPM_KEY_P256);
    found->public_area->data[found->public_area->len - 1] ^= 1;
    AUTO(tpm_transient) key = TPM_TRANSIENT_NONE;
    ASSERT_E(endorsement_load(tpm, found, &key), EK_MISMATCH);
    assert_nothing_loaded(tpm);
}

/* A certificate for the TPM's own P-256 EK, padded as some vendors do. */
static void padded_certificate_is_read_whole(void **state)
{
    (void)state;
    struct swtpm own;
    swtpm_start(false, &own);
    swtpm_run(&own,
              "tpm2_createek -G ecc -u ek.pem -f pem -c ek.ctx && tpm2_flushcontext -t && "
              "openssl ecparam -name prime256v1 -genkey -noout -out ca.key && "
              "openssl req -x509 -new -key ca.key -subj /CN=ca -out ca.pem && "
              "openssl req -new -key ca.key -subj /CN=ek -out r.csr && "
              "openssl x509 -req -in r.csr -CA ca.pem -CAkey ca.key -CAcreateserial -force_pubkey "
              "ek.pem -outform DER -out ek.der && "
              "head -c $((1600 - $(stat -c %s ek.der))) /dev/zero | tr '\\0' '\\377' >pad && cat "
              "ek.der pad >area && "
              "tpm2_nvdefine 0x01c0000a -C o -s 1600 -a 'ownerread|authread|ownerwrite|no_da' && "
              "tpm2_nvwrite 0x01c0000a -C o -i area");
    {
        AUTO(tpm) tpm = open_tpm(&own);
        AUTO(endorsement) found = find(tpm, TPM_KEY_NONE);
        assert_string_equal(found->template->name, "L-2");
        assert_int_equal(found->findings[1], EK_FINDING_USED);
        assert_int_equal(found->certificate->len, 1600);
        assert_true(found->ek->quirks & EK_QUIRK_PADDED);
    }
    swtpm_stop(&own);
}

static void certificates_that_do_not_help_are_told_apart(void **state)
{
    (void)state;
    struct swtpm own;
    swtpm_start(false, &own);
    swtpm_run(
        &own, /* 0x01c00016 was never written, 0x01c0000a is no certificate, 0x01c00014 is somebody
                 else's */
        "tpm2_nvdefine 0x01c00016 -C o -s 100 -a 'ownerread|authread|ownerwrite|no_da' && "
        "tpm2_nvdefine 0x01c0000a -C o -s 100 -a 'ownerread|authread|ownerwrite|no_da' && "
        "head -c 100 /dev/zero | tr '\\0' x >text && tpm2_nvwrite 0x01c0000a -C o -i text && "
        "openssl ecparam -name prime256v1 -genkey -noout -out other.key && "
        "openssl req -x509 -new -key other.key -subj /CN=other -outform DER -out other.der && "
        "tpm2_nvdefine 0x01c00014 -C o -s $(stat -c %s other.der) -a 'ownerread|ownerwrite|no_da' "
        "&& "
        "tpm2_nvwrite 0x01c00014 -C o -i other.der");
    {
        AUTO(tpm) tpm = open_tpm(&own);
        AUTO(endorsement) found = find(tpm, TPM_KEY_NONE);
        assert_int_equal(found->findings[0], EK_FINDING_UNREADABLE);
        assert_int_equal(found->findings[1], EK_FINDING_UNREADABLE);
        assert_int_equal(found->findings[2], EK_FINDING_MISMATCH);
        assert_int_equal(found->findings[3], EK_FINDING_NONE);
        assert_int_equal(found->ek->source, EK_SOURCE_PUB);
        assert_nothing_loaded(tpm);
    }
    swtpm_stop(&own);
}

static void certified_key_of_no_template_is_found_at_its_persistent_handle(void **state)
{
    (void)state;
    struct swtpm own;
    swtpm_start(false, &own);
    /* An EK from another unique field than the template's, as vendors with a template of their own
     * have. */
    swtpm_run(&own,
              "head -c 32 /dev/zero | tr '\\0' u >unique && "
              "(printf '\\040\\000'; cat unique; head -c 96 /dev/zero; printf '\\040\\000'; cat "
              "unique; head -c 96 /dev/zero) >u && "
              "printf '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa' | xxd -r "
              "-p >policy && "
              "tpm2_createprimary -C e -G ecc256:aes128cfb -g sha256 -L policy -u u -c ek.ctx -f "
              "pem -o ek.pem "
              "-a 'fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|restricted|decrypt' && "
              "tpm2_readpublic -c ek.ctx -f pem -o ek.pem && "
              "tpm2_evictcontrol -C o -c ek.ctx 0x81010001 && tpm2_flushcontext -t && "
              "openssl ecparam -name prime256v1 -genkey -noout -out ca.key && "
              "openssl req -x509 -new -key ca.key -subj /CN=ca -out ca.pem && openssl req -new "
              "-key ca.key -subj /CN=ek -out r.csr && "
              "openssl x509 -req -in r.csr -CA ca.pem -CAkey ca.key -CAcreateserial -force_pubkey "
              "ek.pem -outform DER -out ek.der && "
              "tpm2_nvdefine 0x01c0000a -C o -s $(stat -c %s ek.der) -a "
              "'ownerread|authread|ownerwrite|no_da' && "
              "tpm2_nvwrite 0x01c0000a -C o -i ek.der");
    {
        AUTO(tpm) tpm = open_tpm(&own);
        AUTO(endorsement) found = find(tpm, TPM_KEY_NONE);
        assert_int_equal(found->persistent, 0x81010001);
        AUTO(tpm_transient) key = TPM_TRANSIENT_NONE;
        ASSERT_OK(endorsement_load(tpm, found, &key));
        assert_nothing_loaded(tpm);
    }
    swtpm_stop(&own);
}

static void endorsement_password_is_told(void **state)
{
    (void)state;
    struct swtpm own;
    swtpm_start(false, &own);
    swtpm_run(&own, "tpm2_changeauth -c e secret");
    {
        AUTO(tpm) tpm = open_tpm(&own);
        AUTO(endorsement) found = NULL;
        ASSERT_E(endorsement_find(tpm, TPM_KEY_NONE, &found), TPM_AUTH);
        char text[TPM_FAILURE_TEXT_SIZE];
        tpm_failure_text(tpm, text);
        assert_non_null(strstr(text, "TPM2_CreatePrimary failed"));
    }
    swtpm_stop(&own);
}

static void absent_tpm_is_told(void **state)
{
    (void)state;
    AUTO(tpm) tpm = NULL;
    ASSERT_E(tpm_open("swtpm:path=/nonexistent/socket", &tpm), TPM_ABSENT);
    ASSERT_E(tpm_open("device:/dev/null", &tpm), TPM_ABSENT);
    ASSERT_E(tpm_open("nonsense:", &tpm), TPM_ABSENT);
}

static void failed_command_has_no_text_before_it_failed(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&bare);
    char text[TPM_FAILURE_TEXT_SIZE] = "x";
    tpm_failure_text(tpm, text);
    assert_string_equal(text, "");
    tpm_failure_text(NULL, text);
    assert_string_equal(text, "");
}

/* -- activation -------------------------------------------------------------------------------- */

struct rig {
    struct tpm *tpm;
    struct endorsement *endorsement;
    struct attestation_key *key;
    struct ak *ak;
    struct tpm_transient ek_handle;
    struct tpm_transient ak_handle;
};

static void rig_up(const struct swtpm *swtpm, enum tpm_key ek, enum ak_kind ak, struct rig *rig)
{
    *rig = (struct rig){
        .tpm = open_tpm(swtpm), .ek_handle = TPM_TRANSIENT_NONE, .ak_handle = TPM_TRANSIENT_NONE};
    rig->endorsement = find(rig->tpm, ek);
    ASSERT_OK(attestation_key_create(rig->tpm, ak, &rig->key));
    ASSERT_OK(ak_parse(buf_view(rig->key->public_area), &rig->ak));
    ASSERT_OK(attestation_key_load(rig->tpm, rig->key, &rig->ak_handle));
    ASSERT_OK(endorsement_load(rig->tpm, rig->endorsement, &rig->ek_handle));
}

static void rig_down(struct rig *rig)
{
    auto_release_tpm_transient(&rig->ek_handle);
    auto_release_tpm_transient(&rig->ak_handle);
    assert_nothing_loaded(rig->tpm);
    ak_free(rig->ak);
    attestation_key_free(rig->key);
    endorsement_free(rig->endorsement);
    tpm_close(rig->tpm);
}

static err_t activate(struct rig *rig, const struct buf *id_object, const struct buf *encrypted,
                      struct secret **out_secret)
{
    return credential_activate(rig->tpm, rig->endorsement, rig->ek_handle.handle,
                               rig->ak_handle.handle, buf_view(id_object), buf_view(encrypted),
                               out_secret);
}

static const char challenge[] = "thirty-two bytes of a challenge.";

static void seal(const struct ek *ek, struct view name, struct buf **out_id_object,
                 struct buf **out_encrypted)
{
    ASSERT_OK(buf_new(CREDENTIAL_ID_OBJECT_MAX_BYTES, out_id_object));
    ASSERT_OK(buf_new(CREDENTIAL_ENCRYPTED_SECRET_MAX_BYTES, out_encrypted));
    ASSERT_OK(credential_make(ek, name, view_text(challenge), *out_id_object, *out_encrypted));
}

static void activation_opens_what_was_sealed_to_this_tpm(void **state)
{
    (void)state;
    static const enum tpm_key eks[] = {TPM_KEY_P384, TPM_KEY_P256, TPM_KEY_RSA_2048, TPM_KEY_P521,
                                       TPM_KEY_RSA_3072};
    static const enum ak_kind aks[] = {AK_KIND_P384, AK_KIND_P256, AK_KIND_RSA_2048};
    AUTO(tpm) probe = open_tpm(&certified);
    for (size_t i = 0; i < sizeof eks / sizeof eks[0]; i++) {
        struct endorsement *unused = NULL;
        err_t e = endorsement_find(probe, eks[i], &unused);
        endorsement_free(unused);
        if (IS_E(e, TPM_NO_EK) && i >= 3) {
            continue; /* software TPMs differ in what they have beyond the usual three */
        }
        for (size_t k = 0; k < sizeof aks / sizeof aks[0]; k++) {
            struct rig rig;
            tpm_close(STEAL(probe)); /* one connection at a time */
            rig_up(&certified, eks[i], aks[k], &rig);
            AUTO(buf) id_object = NULL;
            AUTO(buf) encrypted = NULL;
            AUTO(secret) opened = NULL;
            seal(rig.endorsement->ek, ak_name(rig.ak), &id_object, &encrypted);
            ASSERT_OK(activate(&rig, id_object, encrypted, &opened));
            assert_true(view_is(secret_view(opened), challenge));
            rig_down(&rig);
            probe = open_tpm(&certified);
        }
    }
}

/* What a fresh secret sealed to this EK and an AK comes out as. */
static void expect_activation(const struct swtpm *swtpm, enum tpm_key ek)
{
    struct rig rig;
    rig_up(swtpm, ek, AK_KIND_P256, &rig);
    AUTO(buf) id_object = NULL;
    AUTO(buf) encrypted = NULL;
    AUTO(secret) opened = NULL;
    seal(rig.endorsement->ek, ak_name(rig.ak), &id_object, &encrypted);
    ASSERT_OK(activate(&rig, id_object, encrypted, &opened));
    assert_true(view_is(secret_view(opened), challenge));
    rig_down(&rig);
}

/* A machine whose power was cut often: TPMs count that as guesses at passwords. */
static void lockout_keeps_no_node_out(void **state)
{
    (void)state;
    struct swtpm own;
    swtpm_start(true, &own);
    swtpm_run(&own, "tpm2_dictionarylockout --setup-parameters --max-tries=1 --recovery-time=3600 "
                    "--lockout-recovery-time=3600 && "
                    "tpm2_createprimary -Q -C o -p right -c parent && "
                    "! tpm2_create -Q -C parent -P wrong -u public -r private && "
                    "tpm2_flushcontext -t && "
                    "tpm2_getcap properties-variable | grep -q 'inLockout: *1'");
    expect_activation(&own, TPM_KEY_P384);
    expect_activation(&own, TPM_KEY_RSA_2048);
    swtpm_stop(&own);
}

static void credential_for_another_ak_is_refused(void **state)
{
    (void)state;
    static const enum tpm_key eks[] = {TPM_KEY_P384, TPM_KEY_RSA_2048};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        rig_up(&certified, eks[i], AK_KIND_P256, &rig);
        rig.ak->name[5] ^= 1;
        AUTO(buf) id_object = NULL;
        AUTO(buf) encrypted = NULL;
        AUTO(secret) opened = NULL;
        seal(rig.endorsement->ek, ak_name(rig.ak), &id_object, &encrypted);
        ASSERT_E(activate(&rig, id_object, encrypted, &opened), TPM_CREDENTIAL);
        assert_null(opened);
        rig_down(&rig);
    }
}

static void credential_for_another_tpm_is_refused(void **state)
{
    (void)state;
    static const enum tpm_key eks[] = {TPM_KEY_P384, TPM_KEY_P256, TPM_KEY_RSA_2048};
    for (size_t i = 0; i < 3; i++) {
        AUTO(tpm) other = open_tpm(&bare);
        AUTO(endorsement) theirs = find(other, eks[i]);
        struct rig rig;
        rig_up(&certified, eks[i], AK_KIND_P384, &rig);
        AUTO(buf) id_object = NULL;
        AUTO(buf) encrypted = NULL;
        AUTO(secret) opened = NULL;
        seal(theirs->ek, ak_name(rig.ak), &id_object, &encrypted);
        err_t e = activate(&rig, id_object, encrypted, &opened);
        /* libtpms calls an RSA ciphertext that does not decrypt a failure of its own. */
        assert_true(IS_E(e, TPM_CREDENTIAL) || (eks[i] == TPM_KEY_RSA_2048 && IS_E(e, TPM_FAILED)));
        assert_null(opened);
        rig_down(&rig);
    }
}

static void altered_or_cut_credential_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_up(&certified, TPM_KEY_P384, AK_KIND_P384, &rig);
    AUTO(buf) id_object = NULL;
    AUTO(buf) encrypted = NULL;
    AUTO(secret) opened = NULL;
    seal(rig.endorsement->ek, ak_name(rig.ak), &id_object, &encrypted);
    id_object->data[10] ^= 1;
    ASSERT_E(activate(&rig, id_object, encrypted, &opened), TPM_CREDENTIAL);
    id_object->data[10] ^= 1;
    encrypted->data[10] ^= 1; /* no point on the curve any more */
    ASSERT_E(activate(&rig, id_object, encrypted, &opened), TPM_CREDENTIAL);
    encrypted->data[10] ^= 1;
    buf_truncate(id_object, id_object->len - 1);
    ASSERT_E(activate(&rig, id_object, encrypted, &opened), FIELD_INVALID);
    buf_truncate(id_object, 0);
    ASSERT_E(activate(&rig, id_object, encrypted, &opened), FIELD_INVALID);
    rig_down(&rig);
}

/* -- quotes ------------------------------------------------------------------------------------ */

static const char nonce[] = "a nonce of thirty-two bytes ....";

static void check_quote(const struct rig *rig, const struct pcr_selection *selection,
                        const struct quote_evidence *evidence)
{
    struct quote quote;
    ASSERT_OK(quote_parse(buf_view(evidence->attest), &quote));
    ASSERT_OK(quote_check_signature(rig->ak, quote.attest, buf_view(evidence->signature)));
    assert_true(view_is(quote.extra_data, nonce));
    assert_true(pcr_selection_equal(&quote.selection, selection));
    uint8_t digest[TPM_DIGEST_MAX_BYTES];
    size_t len = 0;
    ASSERT_OK(
        pcr_values_digest(&evidence->values, &quote.selection, rig->ak->hash_alg, digest, &len));
    assert_true(view_equal(quote.pcr_digest, view_of(digest, len)));
}

static void quote_of_every_kind_of_ak_verifies(void **state)
{
    (void)state;
    static const enum ak_kind aks[] = {AK_KIND_P384, AK_KIND_P256, AK_KIND_RSA_2048};
    static const struct pcr_selection selections[] = {
        {1, {{TPM2_ALG_SHA256, 0x000095}}},
        {2, {{TPM2_ALG_SHA256, 0xffffff}, {TPM2_ALG_SHA384, 0xffffff}}},
        {2, {{TPM2_ALG_SHA384, 0x800001}, {TPM2_ALG_SHA256, 0x000800}}}};
    swtpm_run(
        &certified,
        "tpm2_pcrextend 4:sha256=$(printf 'a%.0s' $(seq 64)),sha384=$(printf 'b%.0s' $(seq 96))");
    for (size_t k = 0; k < 3; k++) {
        struct rig rig;
        rig_up(&certified, TPM_KEY_P384, aks[k], &rig);
        for (size_t i = 0; i < sizeof selections / sizeof selections[0]; i++) {
            AUTO(quote_evidence) evidence = NULL;
            ASSERT_OK(quote_take(rig.tpm, rig.ak_handle.handle, rig.ak->hash_alg, &selections[i],
                                 view_text(nonce), &evidence));
            check_quote(&rig, &selections[i], evidence);
        }
        rig_down(&rig);
    }
}

static void quote_of_an_inactive_bank_is_told(void **state)
{
    (void)state;
    struct rig rig;
    rig_up(&certified, TPM_KEY_P384, AK_KIND_P384, &rig);
    struct pcr_selection selection = {2, {{TPM2_ALG_SHA256, 1}, {TPM2_ALG_SHA1, 1}}};
    AUTO(quote_evidence) evidence = NULL;
    ASSERT_E(quote_take(rig.tpm, rig.ak_handle.handle, rig.ak->hash_alg, &selection,
                        view_text(nonce), &evidence),
             QUOTE_SELECTION);
    rig_down(&rig);
}

static void quote_over_a_nonce_that_is_no_nonce_is_refused(void **state)
{
    (void)state;
    struct rig rig;
    rig_up(&certified, TPM_KEY_P384, AK_KIND_P384, &rig);
    struct pcr_selection selection = {1, {{TPM2_ALG_SHA256, 1}}};
    uint8_t longer[sizeof((TPM2B_DATA *)NULL)->buffer + 1] = {0};
    AUTO(quote_evidence) evidence = NULL;
    ASSERT_E(quote_take(rig.tpm, rig.ak_handle.handle, rig.ak->hash_alg, &selection, VIEW_EMPTY,
                        &evidence),
             FIELD_INVALID);
    ASSERT_E(quote_take(rig.tpm, rig.ak_handle.handle, rig.ak->hash_alg, &selection,
                        view_of(longer, sizeof longer), &evidence),
             FIELD_INVALID);
    rig_down(&rig);
}

/* -- attestation keys -------------------------------------------------------------------------- */

static void best_kind_is_p384(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&certified);
    assert_int_equal(attestation_key_best(tpm), AK_KIND_P384);
}

static void saved_key_loads_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_up(&certified, TPM_KEY_P384, AK_KIND_P256, &rig);
    char path[128];
    snprintf(path, sizeof path, "%s/ak.blob", certified.folder);
    ASSERT_OK(attestation_key_save(rig.key, path));
    AUTO(attestation_key) read = NULL;
    ASSERT_OK(attestation_key_read(path, &read));
    assert_int_equal(read->kind, AK_KIND_P256);
    assert_true(view_equal(buf_view(read->public_area), buf_view(rig.key->public_area)));
    auto_release_tpm_transient(&rig.ak_handle);
    ASSERT_OK(attestation_key_load(rig.tpm, read, &rig.ak_handle));
    rig_down(&rig);
    AUTO(tpm) other = open_tpm(&bare);
    AUTO(tpm_transient) handle = TPM_TRANSIENT_NONE;
    ASSERT_E(attestation_key_load(other, read, &handle), TPM_CREDENTIAL);
    assert_nothing_loaded(other);
}

static void damaged_key_file_is_refused(void **state)
{
    (void)state;
    AUTO(tpm) tpm = open_tpm(&certified);
    AUTO(attestation_key) key = NULL;
    ASSERT_OK(attestation_key_create(tpm, AK_KIND_P256, &key));
    char path[128];
    snprintf(path, sizeof path, "%s/ak.damaged", certified.folder);
    AUTO(attestation_key) read = NULL;
    ASSERT_E(attestation_key_read(path, &read), CONFIG_UNREADABLE);
    ASSERT_OK(attestation_key_save(key, path));
    char command[200];
    snprintf(command, sizeof command, "truncate -s -1 %s", path);
    swtpm_run(&certified, command);
    ASSERT_E(attestation_key_read(path, &read), FIELD_INVALID);
    snprintf(command, sizeof command, "truncate -s +2 %s", path);
    swtpm_run(&certified, command);
    ASSERT_E(attestation_key_read(path, &read), FIELD_INVALID);
    snprintf(command, sizeof command, "printf '\\x09' | dd of=%s bs=1 conv=notrunc", path);
    swtpm_run(&certified, command);
    ASSERT_E(attestation_key_read(path, &read), FIELD_INVALID);
    assert_null(read);
}

/* -- leaks ------------------------------------------------------------------------------------- */

/* A TPM has room for three objects and as many sessions, so a single one left behind in each cycle
 * would stop this at once; saved sessions are counted as well. */
static void hundred_cycles_leave_nothing_in_the_tpm(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct rig rig;
        rig_up(&certified, i % 2 ? TPM_KEY_RSA_2048 : TPM_KEY_P384, AK_KIND_P256, &rig);
        AUTO(buf) id_object = NULL;
        AUTO(buf) encrypted = NULL;
        AUTO(secret) opened = NULL;
        AUTO(quote_evidence) evidence = NULL;
        struct pcr_selection selection = {1, {{TPM2_ALG_SHA256, 0x81}}};
        seal(rig.endorsement->ek, ak_name(rig.ak), &id_object, &encrypted);
        id_object->data[8] ^= (uint8_t)(i % 3 == 0); /* refusals must not leak either */
        err_t e = activate(&rig, id_object, encrypted, &opened);
        assert_int_equal(IS_OK(e), i % 3 != 0);
        ASSERT_OK(quote_take(rig.tpm, rig.ak_handle.handle, rig.ak->hash_alg, &selection,
                             view_text(nonce), &evidence));
        rig_down(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strongest_certified_ek_is_found_first),
        cmocka_unit_test(certified_ek_of_the_wanted_kind_is_found),
        cmocka_unit_test(certificate_is_read_without_making_its_key),
        cmocka_unit_test(certificate_that_is_not_there_is_not_read),
        cmocka_unit_test(tpm_without_certificates_shows_its_public_key),
        cmocka_unit_test(ek_is_the_same_every_time),
        cmocka_unit_test(ek_that_became_another_does_not_load),
        cmocka_unit_test(padded_certificate_is_read_whole),
        cmocka_unit_test(certificates_that_do_not_help_are_told_apart),
        cmocka_unit_test(certified_key_of_no_template_is_found_at_its_persistent_handle),
        cmocka_unit_test(endorsement_password_is_told),
        cmocka_unit_test(absent_tpm_is_told),
        cmocka_unit_test(failed_command_has_no_text_before_it_failed),
        cmocka_unit_test(activation_opens_what_was_sealed_to_this_tpm),
        cmocka_unit_test(lockout_keeps_no_node_out),
        cmocka_unit_test(credential_for_another_ak_is_refused),
        cmocka_unit_test(credential_for_another_tpm_is_refused),
        cmocka_unit_test(altered_or_cut_credential_is_refused),
        cmocka_unit_test(quote_of_every_kind_of_ak_verifies),
        cmocka_unit_test(quote_of_an_inactive_bank_is_told),
        cmocka_unit_test(quote_over_a_nonce_that_is_no_nonce_is_refused),
        cmocka_unit_test(best_kind_is_p384),
        cmocka_unit_test(saved_key_loads_again),
        cmocka_unit_test(damaged_key_file_is_refused),
        cmocka_unit_test(hundred_cycles_leave_nothing_in_the_tpm),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
