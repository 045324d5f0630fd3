#include "cmocka_all.h"
#include "real.h"

#include "tpm/pem.h"

static void pem_is_told_from_bytes(void **state)
{
    (void)state;
    AUTO(buf) der = real_file("ek-certificates/ifx_slb9665_053e_ca029.der");
    assert_true(pem_is(view_text("-----BEGIN CERTIFICATE-----")));
    assert_true(pem_is(view_text("0 s:CN=EK\r\n\t-----BEGIN CERTIFICATE-----")));
    assert_false(pem_is(view_text("-----BEGIN")));
    assert_false(pem_is(VIEW_EMPTY));
    assert_false(pem_is(buf_view(der)));
    /* DER whose names hold such a text is DER. */
    AUTO(buf) area = NULL;
    assert_ok(buf_new(der->len + 64, &area));
    assert_ok(buf_put(area, buf_view(der)));
    assert_ok(buf_put_text(area, "-----BEGIN CERTIFICATE-----\n"));
    assert_false(pem_is(buf_view(area)));
}

static void reading_goes_on_behind_a_damaged_block(void **state)
{
    (void)state;
    static const char text[] = "-----BEGIN A-----\n!\n-----END A-----\n"
                               "-----BEGIN B-----\nMAA=\n-----END B-----\ntail\n";
    struct pem_reader reader = pem_open(view_text(text));
    struct pem_block block;
    assert_err(pem_next(&reader, &block), FIELD_INVALID);
    assert_ok(pem_next(&reader, &block));
    assert_string_equal(block.label, "B");
    assert_int_equal(block.der->len, 2);
    buf_free(block.der);
    assert_err(pem_next(&reader, &block), NOT_FOUND);
    assert_int_equal(pem_offset(&reader), sizeof text - 1);
}

/* One block that holds 00 01 02 03. */
static void blocks_are_read_however_they_were_pasted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "-----BEGIN A B-----\nAAECAw==\n-----END A B-----\n",
        "\xEF\xBB\xBF-----BEGIN A B-----\r\nAAEC\r\nAw==\r\n-----END A B-----",
        "    -----BEGIN A B-----\n    AAEC\n    Aw==\n    -----END A B-----\n",
        "key: |\n\t-----BEGIN A B-----\n\tAAECAw==\t\n\t-----END A B-----\n",
        "-----BEGIN A B-----\rAAECAw==\r-----END A B-----\r",
        "-----BEGIN A B----- AAEC Aw== -----END A B-----",
        "-----BEGIN A B-----AAECAw==-----END A B-----",
        "{\"pem\": \"-----BEGIN A B-----\\nAAEC\\r\\nAw==\\n-----END A B-----\\n\"}",
        "\"-----BEGIN A B-----\\n\"\n\"AAEC\\n\"\n\"Aw==\\n\"\n\"-----END A B-----\\n\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pem_reader reader = pem_open(view_text(texts[i]));
        struct pem_block block;
        assert_true(pem_is(view_text(texts[i])));
        assert_ok(pem_next(&reader, &block));
        assert_string_equal(block.label, "A B");
        assert_true(view_equal(buf_view(block.der), view_of("\0\1\2\3", 4)));
        buf_free(block.der);
        assert_err(pem_next(&reader, &block), NOT_FOUND);
    }
}

static void damaged_blocks_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "-----BEGIN A-----",
        "-----BEGIN A",
        "-----BEGIN -----\nAAAA\n-----END -----",
        "-----BEGIN A-----\n-----END A-----",
        "-----BEGIN A-----\nAAAA\n-----END B-----",
        "-----BEGIN A-----\nAAAA\n-----END A----",
        "-----BEGIN A-----\nAAAA\n",
        "-----BEGIN A-----\nAAA\n-----END A-----",
        "-----BEGIN A-----\nAA-_\n-----END A-----",
        "-----BEGIN A-----\nnAAA*\n-----END A-----",
        "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END A-----",
        "-----BEGIN A LABEL OF MORE THAN THIRTY-ONE CHARACTERS-----\nAAAA\n-----END A LABEL OF "
        "MORE THAN "
        "THIRTY-ONE CHARACTERS-----",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pem_reader reader = pem_open(view_text(texts[i]));
        struct pem_block block;
        assert_err(pem_next(&reader, &block), FIELD_INVALID);
        assert_err(pem_next(&reader, &block), NOT_FOUND);
    }
}

/* A block that lost its end does not swallow the next one. */
static void block_without_its_end_ends_at_the_next(void **state)
{
    (void)state;
    static const char text[] = "-----BEGIN A-----\nAAAA\n"
                               "-----BEGIN B-----\nMAA=\n-----END B-----\n";
    struct pem_reader reader = pem_open(view_text(text));
    struct pem_block block;
    assert_err(pem_next(&reader, &block), FIELD_INVALID);
    assert_ok(pem_next(&reader, &block));
    assert_string_equal(block.label, "B");
    buf_free(block.der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_is_told_from_bytes),
        cmocka_unit_test(reading_goes_on_behind_a_damaged_block),
        cmocka_unit_test(blocks_are_read_however_they_were_pasted),
        cmocka_unit_test(damaged_blocks_are_refused),
        cmocka_unit_test(block_without_its_end_ends_at_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
