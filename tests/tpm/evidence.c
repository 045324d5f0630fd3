/* A verifier on the command line, for tests with a real TPM stack: reads files, says what the
 * library says. Exit status 0 only on success.
 *
 *   evidence credential EK_FILE cert|pub EK_AREA_FILE|- AK_FILE SECRET_FILE OUT_FILE   the blob
 * that tpm2_activatecredential reads evidence quote AK_FILE ATTEST_FILE SIGNATURE_FILE NONCE_HEX
 *   evidence trust ROOT_FILE INTERMEDIATE_FILE EK_FILE
 */
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "tpm/credential.h"
#include "tpm/quote.h"
#include "tpm/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 65536 };

/* What tpm2-tools put before TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. */
static const uint32_t tools_magic = 0xBADCC0DE;
static const uint32_t tools_version = 1;

static ERRFN read_ek(const char *path, const char *source, struct ek **out_ek)
{
    AUTO(buf) sent = NULL;
    TRY(fd_read_file(path, FILE_MAX, &sent));
    return ek_parse(buf_view(sent), strcmp(source, "cert") == 0 ? EK_SOURCE_CERT : EK_SOURCE_PUB,
                    out_ek);
}

static ERRFN read_ak(const char *path, struct ak **out_ak)
{
    AUTO(buf) area = NULL;
    TRY(fd_read_file(path, FILE_MAX, &area));
    return ak_parse(buf_view(area), out_ak);
}

static ERRFN write_blob(const char *path, const struct buf *id_object, const struct buf *encrypted)
{
    AUTO(buf) blob = NULL;
    TRY(buf_new(4096, &blob));
    TRY(buf_put_u32(blob, tools_magic));
    TRY(buf_put_u32(blob, tools_version));
    TRY(buf_put(blob, buf_view(id_object)));
    TRY(buf_put(blob, buf_view(encrypted)));
    return fd_write_file_atomic(path, buf_view(blob), 0600);
}

static ERRFN credential(char **args)
{
    AUTO(ek) ek = NULL;
    AUTO(ak) ak = NULL;
    AUTO(buf) secret = NULL;
    AUTO(buf) id_object = NULL;
    AUTO(buf) encrypted = NULL;
    TRY(read_ek(args[0], args[1], &ek));
    if (strcmp(args[2], "-") != 0) {
        AUTO(buf) area = NULL;
        TRY(fd_read_file(args[2], FILE_MAX, &area));
        TRY(ek_set_public_area(ek, buf_view(area)));
    }
    TRY(read_ak(args[3], &ak));
    TRY(fd_read_file(args[4], FILE_MAX, &secret));
    TRY(buf_new(CREDENTIAL_ID_OBJECT_MAX_BYTES, &id_object));
    TRY(buf_new(CREDENTIAL_ENCRYPTED_SECRET_MAX_BYTES, &encrypted));
    TRY(credential_make(ek, ak_name(ak), buf_view(secret), id_object, encrypted));
    return write_blob(args[5], id_object, encrypted);
}

static ERRFN quote(char **args)
{
    AUTO(ak) ak = NULL;
    AUTO(buf) attest = NULL;
    AUTO(buf) signature = NULL;
    TRY(read_ak(args[0], &ak));
    TRY(fd_read_file(args[1], FILE_MAX, &attest));
    TRY(fd_read_file(args[2], FILE_MAX, &signature));
    struct quote q;
    TRY(quote_parse(buf_view(attest), &q));
    TRY(quote_check_signature(ak, q.attest, buf_view(signature)));
    uint8_t nonce[DIGEST_MAX_BYTES];
    size_t len = strlen(args[3]) / 2;
    ENSURE(len <= sizeof nonce, TOO_LONG);
    TRY(hex_decode(view_text(args[3]), nonce, len));
    ENSURE(view_equal(q.extra_data, view_of(nonce, len)), QUOTE_NONCE);
    char digest[HEX_TEXT_SIZE(DIGEST_MAX_BYTES)];
    hex_encode(q.pcr_digest, digest);
    printf("%s %s\n", ak_key_name(ak->key_type), digest);
    return OK;
}

static ERRFN trust(char **args)
{
    AUTO(trust) store = NULL;
    AUTO(buf) root = NULL;
    AUTO(buf) intermediate = NULL;
    AUTO(ek) ek = NULL;
    size_t count;
    TRY(trust_new(&store));
    TRY(fd_read_file(args[0], FILE_MAX, &root));
    TRY(fd_read_file(args[1], FILE_MAX, &intermediate));
    TRY(trust_add_root(store, buf_view(root), &count));
    TRY(trust_add_intermediate(store, buf_view(intermediate), &count));
    TRY(read_ek(args[2], "cert", &ek));
    struct trust_verdict verdict;
    TRY(trust_evaluate(store, ek, NULL, 0, clock_utc_ms(), &verdict));
    printf("%s %s %s %s %s\n", ek_key_name(ek->key_type), ek->manufacturer, ek->model,
           trust_finding_name(verdict.finding), verdict.anchor);
    return verdict.reason;
}

static err_t run(int argc, char **argv)
{
    if (argc == 8 && strcmp(argv[1], "credential") == 0) {
        return credential(argv + 2);
    }
    if (argc == 6 && strcmp(argv[1], "quote") == 0) {
        return quote(argv + 2);
    }
    if (argc == 5 && strcmp(argv[1], "trust") == 0) {
        return trust(argv + 2);
    }
    return E(FIELD_INVALID);
}

int main(int argc, char **argv)
{
    err_t done = run(argc, argv);
    if (!IS_OK(done)) {
        fprintf(stderr, "%s\n", err_reason(done));
    }
    return IS_OK(done) ? EXIT_SUCCESS : EXIT_FAILURE;
}
