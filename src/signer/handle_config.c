/* GET /config/{token} and GET /config?mac=: the role's base configuration with this machine's facts, sealed to the TPM that attested. */
#include "base/fd.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/gcm.h"
#include "signer/gate.h"
#include "signer/identity.h"
#include "signer/record.h"
#include "signer/roles.h"
#include "sql/proof.h"
#include "sql/tokens.h"
#include "talos/machine_config.h"
#include "tpm/ak.h"
#include "tpm/credential.h"

#include <stdio.h>
#include <string.h>

enum { AAD_MAX_BYTES = 512, TOKEN_ID_BYTES = 8 };

#define PENDING_CLUSTER "itl-cpstack-cluster" /* contract B.3.3b */

static ERRFN read_base(const struct signer *s, const char *cluster, const char *name, struct buf **out_base)
{
    char path[PATH_MAX];
    int len = cluster ? snprintf(path, sizeof path, "%s/%s/%s.yaml", s->settings.base_directory, cluster, name)
                      : snprintf(path, sizeof path, "%s/%s.yaml", s->settings.base_directory, name);
    ENSURE(len > 0 && (size_t)len < sizeof path, TOO_LONG);
    return fd_read_file(path, IPC_CONFIG_MAX, out_base);
}

/* <cluster>/<role>.yaml, <cluster>/worker.yaml for both kinds of worker, then the same beside the clusters. */
static ERRFN find_base(const struct signer *s, const struct machine *machine, struct buf **out_base)
{
    ENSURE(cluster_is_valid(view_text(machine->cluster_id)) && role_is_known(view_text(machine->role)), BASE_CONFIG_MISSING);
    const char *general = strncmp(machine->role, "worker-", 7) == 0 ? "worker" : machine->role;
    const char *const places[][2] = {
        {machine->cluster_id, machine->role}, {machine->cluster_id, general}, {NULL, machine->role}, {NULL, general}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        err_t read = read_base(s, places[i][0], places[i][1], out_base);
        if (!IS_E(read, CONFIG_UNREADABLE)) {
            return read;
        }
    }
    return E(BASE_CONFIG_MISSING);
}

static ERRFN assemble(struct call *call, const struct machine *machine, struct buf **out_yaml)
{
    AUTO(buf) base = NULL;
    TRY(find_base(call->signer, machine, &base));
    struct machine_config_facts facts = {
        .machine_id = machine->machine_id,
        .role = machine->role,
        .hostname = machine->hostname,
        .assigned_ip = machine->assigned_ip,
        .ek_fingerprint = machine->ek_fingerprint,
        .cluster_id = machine->cluster_id,
        .installer_image = call->signer->settings.installer_image,
    };
    AUTO(buf) yaml = NULL;
    TRY(buf_new(IPC_CONFIG_MAX, &yaml));
    TRY(machine_config_merge(buf_view(base), &facts, yaml));
    *out_yaml = STEAL(yaml);
    return OK;
}

static ERRFN describe(const struct machine *machine, const uint8_t *token_hash, struct buf *out_aad)
{
    char token_id[HEX_TEXT_SIZE(TOKEN_ID_BYTES)];
    hex_encode(view_of(token_hash, TOKEN_ID_BYTES), token_id);
    return buf_printf(out_aad, "{\"format\":\"tpm-credential-v1\",\"machine_id\":\"%s\",\"token_id\":\"%s\",\"version\":1}",
                      machine->machine_id, token_id);
}

/* A key of its own for every delivery, which only the TPM with this EK and this AK can open. */
static ERRFN seal(struct call *call, const char *ek_fingerprint, struct view yaml, struct ipc_config_fetch_reply *out_reply)
{
    AUTO(ek) ek = NULL;
    AUTO(ak) ak = NULL;
    AUTO(secret) key = NULL;
    struct ak_record record;
    TRY(identity_stored_ek(call, ek_fingerprint, &ek));
    TRY(ak_get(call->signer->db, ek_fingerprint, &record));
    TRY(ak_parse(view_of(record.public_area, record.public_len), &ak));
    TRY(secret_random(GCM_KEY_BYTES, &key));

    struct buf *blob;
    struct buf *encrypted;
    struct buf *iv;
    struct buf *ciphertext;
    struct buf *tag;
    uint8_t *iv_bytes;
    uint8_t *tag_bytes;
    TRY(call_buffer(call, CREDENTIAL_ID_OBJECT_MAX_BYTES, &blob));
    TRY(call_buffer(call, CREDENTIAL_ENCRYPTED_SECRET_MAX_BYTES, &encrypted));
    TRY(call_buffer(call, GCM_IV_BYTES, &iv));
    TRY(call_buffer(call, IPC_CONFIG_MAX, &ciphertext));
    TRY(call_buffer(call, GCM_TAG_BYTES, &tag));
    TRY(buf_extend(iv, GCM_IV_BYTES, &iv_bytes));
    TRY(buf_extend(tag, GCM_TAG_BYTES, &tag_bytes));
    random_bytes(iv_bytes, GCM_IV_BYTES);
    TRY(credential_make(ek, ak_name(ak), secret_view(key), blob, encrypted));
    TRY(gcm_seal(secret_view(key), buf_view(iv), out_reply->aad, yaml, ciphertext, tag_bytes));
    out_reply->sealed = 1;
    out_reply->credential_blob = buf_view(blob);
    out_reply->encrypted_secret = buf_view(encrypted);
    out_reply->iv = buf_view(iv);
    out_reply->body = buf_view(ciphertext);
    out_reply->tag = buf_view(tag);
    return OK;
}

/* The machine and, into the call, the EK that attested for this token. */
static ERRFN find_machine(struct call *call, const uint8_t *token_hash, struct machine *out_machine)
{
    struct config_token_found found;
    TRY(config_token_find(call->signer->db, token_hash, call->now_ms, &found));
    TRY(machine_by_id(call->signer->db, found.machine_id, out_machine));
    memcpy(call->machine_id, out_machine->machine_id, sizeof call->machine_id);
    memcpy(call->ek_fingerprint, found.ek_fingerprint[0] ? found.ek_fingerprint : out_machine->ek_fingerprint,
           sizeof call->ek_fingerprint);
    return gate_check(out_machine, IPC_GATE_CONFIG, call->now_ms);
}

static ERRFN deliver(struct call *call, const struct machine *machine, bool sealed, struct ipc_config_fetch_reply *out_reply)
{
    AUTO(buf) yaml = NULL;
    TRY(assemble(call, machine, &yaml));
    if (sealed) {
        return seal(call, call->ek_fingerprint, buf_view(yaml), out_reply);
    }
    struct buf *plain;
    TRY(call_buffer(call, IPC_CONFIG_MAX, &plain));
    TRY(buf_put(plain, buf_view(yaml)));
    out_reply->body = buf_view(plain);
    return OK;
}

ERRFN handle_config_fetch(struct call *call, const struct ipc_config_fetch_request *request,
                          struct ipc_config_fetch_reply *out_reply)
{
    ENSURE(request->sealed || !call->signer->settings.sealed_only, NOT_ACCEPTABLE);
    uint8_t token_hash[SHA384_BYTES];
    struct machine machine;
    TRY(sha384(request->token, token_hash));
    TRY(find_machine(call, token_hash, &machine));
    struct buf *aad;
    TRY(call_buffer(call, AAD_MAX_BYTES, &aad));
    TRY(describe(&machine, token_hash, aad));
    out_reply->aad = buf_view(aad);
    TRY(deliver(call, &machine, request->sealed, out_reply));
    TRY(config_token_mark_fetched(call->signer->db, token_hash, call->now_ms));
    TRY(call_text(call, machine.machine_id, &out_reply->machine_id));
    const char *state = machine_status_name(MACHINE_ATTESTED);
    return record_act(call, "config_delivered", state, state, NULL, request->sealed ? "{\"sealed\":true}" : "{\"sealed\":false}");
}

/* Says nothing about the machine with this address: everybody gets the same document. */
ERRFN handle_config_pending(struct call *call, const struct ipc_config_pending_request *request,
                            struct ipc_config_pending_reply *out_reply)
{
    (void)request;
    struct buf *yaml;
    TRY(call_buffer(call, IPC_CONFIG_MAX, &yaml));
    TRY(machine_config_pending(call->signer->settings.service_url, PENDING_CLUSTER, yaml));
    out_reply->body = buf_view(yaml);
    return OK;
}
