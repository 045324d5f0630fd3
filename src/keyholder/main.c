/* itl-keyholder: holds the TLS token and signs TLS 1.3 server handshakes with its key, nothing
 * else. See SECURITY.md. */
#include <stdlib.h>

#include "base/log.h"
#include "ipc/settings.h"
#include "keyholder/certificate_verify.h"
#include "keyholder/serve.h"
#include "sandbox/sandbox.h"

struct keyholder_settings {
    char module[1025];
    char token_label[65];
    char token_directory[1025]; /* "" unless the module keeps the token in files */
    uint64_t sessions;
    uint64_t softhsm;
};

static ERRFN read_settings(struct view lines, struct keyholder_settings *s,
                           const char **out_subject)
{
    *out_subject = "hsm_module";
    TRY(settings_get_text(lines, "hsm_module", 0, s->module, sizeof s->module));
    *out_subject = "hsm_token_label";
    TRY(settings_get_text(lines, "hsm_token_label", 0, s->token_label, sizeof s->token_label));
    *out_subject = "hsm_sessions";
    TRY(settings_get_number(lines, "hsm_sessions", &s->sessions));
    *out_subject = "softhsm";
    TRY(settings_get_number(lines, "softhsm", &s->softhsm));
    *out_subject = "token_directory";
    return settings_get_text(lines, "token_directory", 0, s->token_directory,
                             sizeof s->token_directory);
}

static ERRFN open_token(struct keyholder *k, const struct keyholder_settings *s,
                        const char **out_subject)
{
    AUTO(secret) pin = NULL;
    *out_subject = "hsm.tls.pin_file";
    TRY(process_take_pin(k->process, &pin));
    const struct hsm_settings settings = {
        .module = s->module,
        .token_label = s->token_label,
        .pin = secret_view(pin),
        .sessions_max = (unsigned)s->sessions,
    };
    *out_subject = "hsm.tls";
    TRY(hsm_open(&settings, &k->hsm));
    *out_subject = hsm_role_label(HSM_ROLE_TLS);
    return signing_key_open(k->hsm, &k->key);
}

/* One signature before the seal: whatever module and libraries do for the first time they do
 * now. */
static ERRFN exercise(const struct keyholder *k)
{
    static const char start[] = "TLS 1.3, server CertificateVerify";
    AUTO(buf) content = NULL;
    AUTO(buf) signature = NULL;
    uint8_t *at;
    TRY(buf_new(CERTIFICATE_VERIFY_BYTES, &content));
    for (size_t i = 0; i < 64; i++) {
        TRY(buf_put_u8(content, ' '));
    }
    TRY(buf_put(content, view_of(start, sizeof start)));
    TRY(buf_extend(content, CERTIFICATE_VERIFY_BYTES - content->len,
                   &at)); /* a transcript hash that no handshake has */
    TRY(buf_new(HSM_SIGNATURE_MAX_BYTES, &signature));
    return sign_certificate_verify(&k->key, buf_view(content), signature);
}

static ERRFN seal(struct keyholder *k, const struct keyholder_settings *s)
{
    const struct sandbox_path token = {.path = s->token_directory};
    const struct sandbox_settings sandbox = {
        .profile = SANDBOX_KEYHOLDER,
        .softhsm = s->softhsm != 0,
        .paths = &token,
        .path_count = s->token_directory[0] ? 1 : 0,
    };
    TRY(sandbox_enter(&sandbox));
    return process_ready(k->process, sandbox_profile_hash(&sandbox));
}

static ERRFN start(struct keyholder *k, const char **out_subject)
{
    struct keyholder_settings settings;
    TRY(read_settings(process_settings(k->process), &settings, out_subject));
    *out_subject = "accounts.keyholder";
    TRY(process_drop(k->process));
    TRY(open_token(k, &settings, out_subject));
    TRY(exercise(k));
    *out_subject = "channels";
    TRY(ipc_channel_new(PROCESS_FD_TLS_KEYHOLDER, IPC_CHANNEL_TLS, &k->tls));
    k->open = true;
    *out_subject = "sandbox";
    return seal(k, &settings);
}

int main(void)
{
    static struct keyholder k;
    const char *subject = "start";
    err_t limited = sandbox_limits(SANDBOX_KEYHOLDER);
    if (!IS_OK(limited) || !IS_OK(process_begin("keyholder", &k.process))) {
        process_exit(EXIT_FAILURE);
    }
    err_t started = start(&k, &subject);
    if (!IS_OK(started)) {
        process_fail(k.process, started, subject);
    }
    log_event(LOG_INFO, "keyholder.ready");
    err_t served = serve(&k);
    /* The token is not closed: its files can't be opened any more, and its state dies with the
     * process. */
    process_exit(IS_OK(served) ? EXIT_SUCCESS : EXIT_FAILURE);
}
