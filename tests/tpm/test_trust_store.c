#include "cmocka_all.h"
#include "issue.h"
#include "trust_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void bundles_are_read_whole_or_not_at_all(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec other = issue_root("Other", w->inter_key);
    X509 *first = issue_certificate(&root);
    X509 *second = issue_certificate(&other);
    AUTO(buf) first_pem = issue_pem(first);
    AUTO(buf) second_pem = issue_pem(second);
    AUTO(buf) bundle = NULL;
    assert_ok(buf_new(16384, &bundle));
    assert_ok(buf_put_text(bundle, "# comment\n"));
    assert_ok(buf_put(bundle, buf_view(first_pem)));
    assert_ok(buf_put_text(bundle, "\nanother\n"));
    assert_ok(buf_put(bundle, buf_view(second_pem)));
    size_t count = 99;
    assert_ok(trust_add_root(trust, buf_view(bundle), &count));
    assert_int_equal(count, 2);
    assert_ok(trust_add_root(trust, buf_view(bundle), &count));
    assert_int_equal(count, 0);
    assert_int_equal(trust_root_count(trust), 2);

    assert_err(trust_add_root(trust, VIEW_EMPTY, &count), FIELD_INVALID);
    assert_err(trust_add_root(trust, view_text("no certificate"), &count), FIELD_INVALID);
    /* The second block damaged, then a block of another kind. */
    bundle->data[bundle->len - 100] = '!';
    assert_err(trust_add_intermediate(trust, buf_view(bundle), &count), FIELD_INVALID);
    static const char label[] = "CERTIFICATE";
    static const char other_label[] = "PUBLIC KEY ";
    AUTO(buf) relabelled = NULL;
    assert_ok(buf_new(16384, &relabelled));
    assert_ok(buf_put(relabelled, buf_view(first_pem)));
    assert_ok(buf_put(relabelled, buf_view(second_pem)));
    for (size_t i = first_pem->len; i + sizeof label < relabelled->len; i++) {
        if (memcmp(relabelled->data + i, label, sizeof label - 1) == 0) {
            memcpy(relabelled->data + i, other_label, sizeof label - 1);
        }
    }
    assert_err(trust_add_intermediate(trust, buf_view(relabelled), &count), FIELD_INVALID);
    assert_int_equal(trust_intermediate_count(trust), 0);
    X509_free(first);
    X509_free(second);
}

static void write_file(const char *folder, const char *name, struct view content)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.len, file), content.len);
    fclose(file);
}

static void remove_file(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static void folder_is_loaded_and_a_bad_file_is_named(void **state)
{
    struct trust_world *w = *state;
    char folder[] = "/tmp/trust-folder-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct issue_spec root = issue_root("Root", w->root_key);
    struct issue_spec other = issue_root("Other", w->inter_key);
    X509 *first = issue_certificate(&root);
    X509 *second = issue_certificate(&other);
    AUTO(buf) pem = issue_pem(first);
    AUTO(buf) der = issue_der(second);
    write_file(folder, "a.pem", buf_view(pem));
    write_file(folder, "b.der", buf_view(der));
    write_file(folder, ".hidden", view_text("junk"));
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    char bad[TRUST_FILE_NAME_SIZE] = "";
    assert_ok(trust_load_folder(trust, folder, true, bad, sizeof bad));
    assert_int_equal(trust_root_count(trust), 2);
    assert_string_equal(bad, "");
    write_file(folder, "c.pem", view_text("junk"));
    assert_err(trust_load_folder(trust, folder, false, bad, sizeof bad), CONFIG_INVALID);
    assert_string_equal(bad, "c.pem");
    assert_err(trust_load_folder(trust, "/nonexistent/folder", true, bad, sizeof bad),
               CONFIG_UNREADABLE);
    const char *names[] = {"a.pem", "b.der", "c.pem", ".hidden"};
    for (size_t i = 0; i < 4; i++) {
        remove_file(folder, names[i]);
    }
    rmdir(folder);
    X509_free(first);
    X509_free(second);
}

/* -- folders of mixed origin ------------------------------------------------------------------- */

/* -- mixed folders ----------------------------------------------------------------------------- */

static void self_signed_certificates_are_roots_and_others_intermediates(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec inter = issue_intermediate("First", w->inter_key, "Root", w->root_key);
    struct issue_spec root = issue_root("Root", w->root_key);
    /* In the folder's order an intermediate may come first: then there is no root yet to add. */
    struct trust_mixed added = world_add_mixed(trust, &inter);
    assert_int_equal(added.roots, 0);
    assert_int_equal(added.intermediates, 1);
    AUTO(buf) der = world_der(&root);
    assert_ok(trust_add_mixed(trust, buf_view(der), &added));
    assert_int_equal(added.roots, 1);
    assert_int_equal(added.intermediates, 0);
    assert_ok(trust_add_mixed(trust, buf_view(der), &added));
    assert_int_equal(added.roots, 0);
    assert_int_equal(trust_root_count(trust), 1);
    assert_int_equal(trust_intermediate_count(trust), 1);
    struct issue_spec ek = issue_ek(w->ek_key, "First", w->inter_key);
    assert_finding(world_judge(trust, &ek), TRUST_FINDING_NONE);
}

/* Its own name as issuer makes no root: the signature does. */
static void certificate_that_only_names_itself_is_no_root(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec liar = issue_intermediate("Root", w->inter_key, "Root", w->root_key);
    assert_int_equal(world_add_mixed(trust, &liar).roots, 0);
    struct issue_spec ek = issue_ek(w->ek_key, "Root", w->inter_key);
    struct trust_verdict verdict = world_judge(trust, &ek);
    assert_int_not_equal(verdict.chain, TRUST_CHAIN_TRUSTED);
}

static void what_is_no_certificate_is_counted_and_left_out(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    AUTO(buf) bundle = NULL;
    assert_ok(trust_new(&trust));
    struct issue_spec spec = issue_root("Root", w->root_key);
    X509 *root = issue_certificate(&spec);
    AUTO(buf) pem = issue_pem(root);
    X509_free(root);
    assert_ok(buf_new(16384, &bundle));
    assert_ok(buf_put_text(bundle, "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"));
    assert_ok(buf_put_text(bundle, "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"));
    assert_ok(buf_put(bundle, buf_view(pem)));
    struct trust_mixed added;
    assert_ok(trust_add_mixed(trust, buf_view(bundle), &added));
    assert_int_equal(added.roots, 1);
    assert_int_equal(added.skipped, 2);
    assert_err(trust_add_mixed(trust, view_text("hello"), &added), FIELD_INVALID);
    assert_err(trust_add_mixed(trust, VIEW_EMPTY, &added), FIELD_INVALID);
    assert_err(trust_add_mixed(trust, view_of("\x30\x03\x02\x01\x01", 5), &added), FIELD_INVALID);
    assert_int_equal(trust_root_count(trust), 1);
}

/* -- allowed by hash --------------------------------------------------------------------------- */

static void key_allowed_by_hash_is_accepted_without_certificate(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = world_trust(w);
    AUTO(buf) spki = issue_spki(w->ek_key);
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(spki), EK_SOURCE_PUB, &ek));
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
    assert_int_equal(verdict.chain, TRUST_CHAIN_NONE);
    assert_err(verdict.reason, EK_NOT_A_CERTIFICATE);

    AUTO(buf) hex = NULL;
    assert_ok(buf_new(200, &hex));
    for (size_t i = 0; i < sizeof ek->spki_sha256; i++) {
        assert_ok(buf_printf(hex, "%02X", ek->spki_sha256[i]));
    }
    assert_ok(trust_allow_hash(trust, buf_view(hex)));
    assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
    assert_true(verdict.hash_allowed);
    assert_ok(verdict.reason);
    assert_int_equal(verdict.chain, TRUST_CHAIN_NONE);

    AUTO(trust) by_long = NULL;
    assert_ok(trust_new(&by_long));
    buf_truncate(hex, 0);
    for (size_t i = 0; i < sizeof ek->spki_sha384; i++) {
        assert_ok(buf_printf(hex, "%02x", ek->spki_sha384[i]));
    }
    assert_ok(trust_allow_hash(by_long, buf_view(hex)));
    assert_ok(trust_evaluate(by_long, ek, NULL, 0, world_now_ms, &verdict));
    assert_ok(verdict.reason);
}

static void hash_of_another_key_allows_nothing(void **state)
{
    struct trust_world *w = *state;
    AUTO(trust) trust = NULL;
    assert_ok(trust_new(&trust));
    char text[97] = "";
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%08x%056d", i * 2654435761U, 7);
        assert_ok(trust_allow_hash(trust, view_text(text)));
        assert_ok(trust_allow_hash(trust, view_text(text)));
    }
    assert_int_equal(trust_hash_count(trust), 5000);
    AUTO(buf) spki = issue_spki(w->ek_key);
    AUTO(ek) ek = NULL;
    assert_ok(ek_parse(buf_view(spki), EK_SOURCE_PUB, &ek));
    struct trust_verdict verdict;
    assert_ok(trust_evaluate(trust, ek, NULL, 0, world_now_ms, &verdict));
    assert_false(verdict.hash_allowed);
    assert_err(verdict.reason, EK_NOT_A_CERTIFICATE);
    assert_err(trust_allow_hash(trust, view_text("")), FIELD_INVALID);
    assert_err(trust_allow_hash(trust, view_text("abcd")), FIELD_INVALID);
    memset(text, 'g', 64);
    text[64] = '\0';
    assert_err(trust_allow_hash(trust, view_text(text)), FIELD_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundles_are_read_whole_or_not_at_all),
        cmocka_unit_test(folder_is_loaded_and_a_bad_file_is_named),
        cmocka_unit_test(self_signed_certificates_are_roots_and_others_intermediates),
        cmocka_unit_test(certificate_that_only_names_itself_is_no_root),
        cmocka_unit_test(what_is_no_certificate_is_counted_and_left_out),
        cmocka_unit_test(key_allowed_by_hash_is_accepted_without_certificate),
        cmocka_unit_test(hash_of_another_key_allows_nothing),
    };
    return cmocka_run_group_tests(tests, world_make, world_end);
}
