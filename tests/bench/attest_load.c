/* Attestations as fast as the appliance takes them: each thread is one machine with a software TPM on a keep-alive connection.
 *
 *   attest_load hashes FOLDER N              makes N machines' keys, prints their EK hashes for ek_trust.allowed_hashes
 *   attest_load register FOLDER N CA PORT    registers them, prints their machine ids
 *   attest_load run FOLDER N CA PORT SECONDS activates each machine's AK, then nonce + quote, over and over */
#include "base/secret.h"
#include "base/text.h"
#include "bench/connection.h"
#include "bench/load.h"
#include "bench/soft_tpm.h"
#include "crypto/digest.h"

#include <jansson.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MACHINES_MAX = 1024, BODY_MAX = 65536 };

AUTO_DEFINE(json_t, json_t, json_decref);

struct machine {
    struct soft_tpm *tpm;
    struct connection connection;
    struct buf *answer;
    uint32_t mask;
};

static struct machine machines[MACHINES_MAX];

static void die(const char *what, err_t why)
{
    fprintf(stderr, "attest_load: %s: %s\n", what, err_reason(why));
    exit(1);
}

static void open_machines(const char *folder, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/machine-%zu.pem", folder, i);
        err_t opened = soft_tpm_open(path, &machines[i].tpm);
        opened = IS_OK(opened) ? buf_new(BODY_MAX, &machines[i].answer) : opened;
        if (!IS_OK(opened)) {
            die(path, opened);
        }
    }
}

static ERRFN put_field(struct buf *body, const char *name, struct view bytes)
{
    TRY(buf_printf(body, ",\"%s\":\"", name));
    TRY(buf_put_base64(body, bytes));
    return buf_put_u8(body, '"');
}

static ERRFN begin_body(const struct soft_tpm *tpm, struct buf *body)
{
    uint8_t hash[SHA384_BYTES];
    char text[HEX_TEXT_SIZE(SHA384_BYTES)];
    TRY(sha384(buf_view(tpm->ek_spki), hash));
    hex_encode(view_of(hash, sizeof hash), text);
    TRY(buf_printf(body, "{\"ek_source\":\"pub\",\"ek_fingerprint\":\"%s\"", text));
    return put_field(body, "ek_pub", buf_view(tpm->ek_public));
}

static ERRFN post(struct machine *m, const char *path, struct buf *body, json_t **out_answer)
{
    int status;
    TRY(buf_put_u8(body, '}'));
    TRY(connection_request(&m->connection, path, body, &status, m->answer));
    if (status != 200) {
        fprintf(stderr, "%s: %d %.*s\n", path, status, (int)m->answer->len, (const char *)m->answer->data);
        return E(BAD_REQUEST);
    }
    *out_answer = json_loadb((const char *)m->answer->data, m->answer->len, 0, NULL);
    ENSURE(*out_answer, JSON_INVALID);
    return OK;
}

static ERRFN take_bytes(const json_t *answer, const char *name, struct buf **out_bytes)
{
    const char *text = json_string_value(json_object_get(answer, name));
    ENSURE(text, FIELD_MISSING);
    TRY(buf_new(2048, out_bytes));
    return base64_decode(view_text(text), *out_bytes);
}

static ERRFN register_machine(struct machine *m)
{
    AUTO(buf) body = NULL;
    AUTO(json_t) answer = NULL;
    TRY(buf_new(BODY_MAX, &body));
    TRY(begin_body(m->tpm, body));
    TRY(post(m, "/api/v1/self-register", body, &answer));
    printf("%s\n", json_string_value(json_object_get(answer, "machine_id")));
    return OK;
}

static ERRFN put_quote(struct machine *m, struct view nonce, struct buf *body)
{
    AUTO(buf) attest = NULL;
    AUTO(buf) signature = NULL;
    TRY(buf_new(512, &attest));
    TRY(buf_new(512, &signature));
    TRY(soft_tpm_quote(m->tpm, nonce, m->mask, attest, signature));
    TRY(put_field(body, "pcr_quote", buf_view(attest)));
    return put_field(body, "pcr_signature", buf_view(signature));
}

static uint32_t read_mask(const json_t *answer)
{
    uint32_t mask = 0;
    size_t i;
    const json_t *index;
    const json_t *list = json_object_get(json_object_get(answer, "pcr_selection"), "sha256");
    json_array_foreach(list, i, index)
    {
        mask |= 1u << json_integer_value(index);
    }
    return mask;
}

static bool is_attested(const json_t *answer)
{
    const char *status = json_string_value(json_object_get(answer, "status"));
    return status && strcmp(status, "attested") == 0;
}

/* The full exchange, once: MakeCredential, activation, quote. */
static ERRFN activate(struct machine *m)
{
    AUTO(buf) body = NULL;
    AUTO(buf) blob = NULL;
    AUTO(buf) encrypted = NULL;
    AUTO(buf) nonce = NULL;
    AUTO(buf) secret = NULL;
    AUTO(json_t) challenge = NULL;
    AUTO(json_t) answer = NULL;
    TRY(buf_new(BODY_MAX, &body));
    TRY(begin_body(m->tpm, body));
    TRY(put_field(body, "ak_pub", buf_view(m->tpm->ak_public)));
    TRY(post(m, "/api/v1/attest/challenge", body, &challenge));
    TRY(take_bytes(challenge, "credential_blob", &blob));
    TRY(take_bytes(challenge, "encrypted_secret", &encrypted));
    TRY(take_bytes(challenge, "nonce", &nonce));
    TRY(buf_new(64, &secret));
    TRY(soft_tpm_activate(m->tpm, buf_view(blob), buf_view(encrypted), secret));
    m->mask = read_mask(challenge);
    buf_truncate(body, 0);
    TRY(begin_body(m->tpm, body));
    TRY(put_field(body, "activated_secret", buf_view(secret)));
    TRY(buf_printf(body, ",\"session_id\":\"%s\"", json_string_value(json_object_get(challenge, "session_id"))));
    TRY(put_quote(m, buf_view(nonce), body));
    TRY(post(m, "/api/v1/attest", body, &answer));
    ENSURE(is_attested(answer), MACHINE_NOT_ATTESTED);
    return OK;
}

/* What is measured: a fresh nonce, a quote over it by the activated AK, verdict, durable audit row. */
static ERRFN attest(struct machine *m)
{
    int status;
    AUTO(buf) body = NULL;
    AUTO(buf) nonce = NULL;
    AUTO(json_t) fresh = NULL;
    AUTO(json_t) answer = NULL;
    TRY(connection_request(&m->connection, "/api/v1/attest/challenge", NULL, &status, m->answer));
    ENSURE(status == 200, BAD_REQUEST);
    fresh = json_loadb((const char *)m->answer->data, m->answer->len, 0, NULL);
    ENSURE(fresh, JSON_INVALID);
    TRY(take_bytes(fresh, "nonce", &nonce));
    TRY(buf_new(BODY_MAX, &body));
    TRY(begin_body(m->tpm, body));
    TRY(buf_printf(body, ",\"nonce_id\":\"%s\"", json_string_value(json_object_get(fresh, "nonce_id"))));
    TRY(put_quote(m, buf_view(nonce), body));
    TRY(post(m, "/api/v1/attest", body, &answer));
    ENSURE(is_attested(answer), MACHINE_NOT_ATTESTED);
    return OK;
}

static bool attest_once(void *context, size_t thread)
{
    (void)context;
    return IS_OK(attest(&machines[thread]));
}

static void print_hashes(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t hash[SHA256_BYTES];
        char text[HEX_TEXT_SIZE(SHA256_BYTES)];
        if (IS_OK(sha256(buf_view(machines[i].tpm->ek_spki), hash))) {
            hex_encode(view_of(hash, sizeof hash), text);
            printf("%s\n", text);
        }
    }
}

static void for_each(size_t count, ERRFN (*work)(struct machine *), const char *what)
{
    for (size_t i = 0; i < count; i++) {
        err_t done = work(&machines[i]);
        if (!IS_OK(done)) {
            die(what, done);
        }
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 4 || !IS_OK(secret_setup())) {
        fprintf(stderr, "usage: attest_load hashes|register|run FOLDER N [CA PORT [SECONDS]]\n");
        return 2;
    }
    size_t count = strtoul(argv[3], NULL, 10);
    open_machines(argv[2], count < MACHINES_MAX ? count : MACHINES_MAX);
    if (strcmp(argv[1], "hashes") == 0) {
        print_hashes(count);
        return 0;
    }
    SSL_CTX *ctx;
    err_t ready = connection_context(argv[4], &ctx);
    for (size_t i = 0; i < count && IS_OK(ready); i++) {
        ready = connection_open(ctx, atoi(argv[5]), &machines[i].connection);
    }
    if (!IS_OK(ready)) {
        die("connect", ready);
    }
    if (strcmp(argv[1], "register") == 0) {
        for_each(count, register_machine, "register");
        return 0;
    }
    for_each(count, activate, "activate");
    struct load_result result = load_run(count, atof(argv[6]), attest_once, NULL);
    load_print("attestations", &result);
    return result.failed > 0;
}
