/* The appliance's node endpoints as calls: JSON out, checked structs in. */
#ifndef ITL_NODE_APPLIANCE_H
#define ITL_NODE_APPLIANCE_H

#include "base/secret.h"
#include "https/client.h"
#include "https/json.h"
#include "https/refusal.h"
#include "node/certificate_set.h"
#include "node/hardware.h"
#include "node/tpm_attestation_key.h"
#include "node/tpm_endorsement.h"
#include "node/tpm_quote.h"

enum {
    APPLIANCE_ID_MAX = 36,
    REATTEST_AFTER_MAX_S = 366 * 24 * 3600,
    APPLIANCE_TOKEN_MAX = 128,
    APPLIANCE_FAILURES_MAX = 8,
    APPLIANCE_EKS_MAX = 4, /* of one machine */
    APPLIANCE_CONFIG_MAX_BYTES = 1 << 20
};

/* Who asks. Borrowed. */
struct appliance_caller {
    const struct endorsement *endorsement;
    const struct hardware *hardware;
    const char *role;    /* wished for, NULL for none */
    const char *cluster; /* NULL for none */
};

enum machine_state {
    MACHINE_STATE_NONE = 0,
    MACHINE_STATE_PENDING,
    MACHINE_STATE_REGISTERED,
    MACHINE_STATE_ATTESTED,
    MACHINE_STATE_LOCKED,
    MACHINE_STATE_REVOKED,
    MACHINE_STATE_REJECTED
};

struct appliance_challenge {
    char session_id[APPLIANCE_ID_MAX + 1];
    char nonce_id[APPLIANCE_ID_MAX + 1];
    struct buf *nonce;
    struct buf *id_object;        /* TPM2B_ID_OBJECT */
    struct buf *encrypted_secret; /* TPM2B_ENCRYPTED_SECRET */
    struct pcr_selection selection;
    bool event_log_required;
    bool event_log_known; /* the log with this SHA-384 need not be sent */
    uint8_t event_log_sha384[SHA384_BYTES];
    bool userspace_log; /* may follow the firmware's */
};
void appliance_challenge_free(struct appliance_challenge *challenge);
AUTO_DEFINE(appliance_challenge, struct appliance_challenge, appliance_challenge_free);

struct appliance_proof {
    const struct appliance_challenge *challenge;
    const struct attestation_key *key;
    const struct secret *activated;
    const struct quote_evidence *quote; /* NULL for none */
    struct view event_log;              /* empty for none */
};

enum node_action { NODE_ACTION_NONE = 0, NODE_ACTION_APPLY, NODE_ACTION_LOCK, NODE_ACTION_WIPE };

struct appliance_verdict {
    enum machine_state state;
    enum node_action action;
    char machine_id[APPLIANCE_ID_MAX + 1];
    char config_token[APPLIANCE_TOKEN_MAX + 1]; /* "" unless action is NODE_ACTION_APPLY */
    char wipe_token[APPLIANCE_TOKEN_MAX + 1];   /* "" unless action is NODE_ACTION_WIPE */
    char assurance[65];
    char role[65];
    char reason[65]; /* "" when nothing was withheld */
    char message[513];
    uint32_t reattest_after_s; /* when policy wants it back; 0 when the appliance does not say */
    size_t failures; /* what policy did not accept, at most APPLIANCE_FAILURES_MAX of it */
    char failure[APPLIANCE_FAILURES_MAX][256];
    size_t eks; /* the appliance knows as this machine's: SHA-384 of each SubjectPublicKeyInfo */
    uint8_t ek[APPLIANCE_EKS_MAX][SHA384_BYTES];
};

/* The sealed configuration as it came (tpm-credential-v1). */
struct appliance_sealed {
    struct buf *id_object;
    struct buf *encrypted_secret;
    struct buf *iv;
    struct buf *ciphertext;
    struct buf *tag;
    struct buf *aad;
};
void appliance_sealed_free(struct appliance_sealed *sealed);
AUTO_DEFINE(appliance_sealed, struct appliance_sealed, appliance_sealed_free);

/* All block for at most HTTPS_TOTAL_MS. Errors: as https_send; REFUSED with *out_refusal;
 * ANSWER_INVALID for an answer that is not of the shape the contract gives. */
ERRFN appliance_register(struct https_client *client, const struct appliance_caller *caller,
                         enum machine_state *out_state, struct refusal *out_refusal);
ERRFN appliance_challenge(struct https_client *client, const struct appliance_caller *caller,
                          const struct attestation_key *key,
                          struct appliance_challenge **out_challenge, struct refusal *out_refusal);
ERRFN appliance_attest(struct https_client *client, const struct appliance_caller *caller,
                       const struct appliance_proof *proof, struct appliance_verdict *out_verdict,
                       struct refusal *out_refusal);
ERRFN appliance_config(struct https_client *client, const char *token,
                       struct appliance_sealed **out_sealed, struct refusal *out_refusal);

/* Proves that the caller's EK sits beside an AK of this machine, without a quote; the EK is the
 * machine's from then on. */
ERRFN appliance_ak_activate(struct https_client *client, const struct appliance_caller *caller,
                            const struct appliance_proof *proof, const char *machine_id,
                            struct refusal *out_refusal);

/* Says that this machine wiped itself, with the token of the order. */
ERRFN appliance_wipe_ack(struct https_client *client, const struct appliance_verdict *verdict,
                         struct refusal *out_refusal);

/* A nonce for a proof by an AK that was activated before. */
struct appliance_nonce {
    char nonce_id[APPLIANCE_ID_MAX + 1];
    struct buf *nonce; /* owned by whoever declared it */
};
ERRFN appliance_nonce(struct https_client *client, struct appliance_nonce *out_nonce,
                      struct refusal *out_refusal);

struct appliance_certificate_request {
    enum certificate_kind kind;
    const struct endorsement *endorsement; /* that proves */
    const char *nonce_id;
    const struct quote_evidence *quote;
    struct view csr;
};

/* Whether it issues SVIDs: it does where it has a trust domain. */
ERRFN appliance_issues_svids(struct https_client *client, bool *out_issues,
                             struct refusal *out_refusal);

/* A certificate and the one of the CA that issued it, in PEM. */
struct appliance_certificate {
    struct buf *certificate;
    struct buf *ca;
};
void appliance_certificate_clear(struct appliance_certificate *certificate);

/* Asks for a certificate of one kind for the key of a request in DER, with a quote over
 * SHA-256(nonce || request) by the AK that was activated with this EK. */
ERRFN appliance_certificate(struct https_client *client, const char *machine_id,
                            const struct appliance_certificate_request *request,
                            struct appliance_certificate *out_certificate,
                            struct refusal *out_refusal);

/* EK material and claims about the hardware, as register, attest and receipts carry them. Errors:
 * NO_MEMORY. */
ERRFN appliance_describe(const struct appliance_caller *caller, json_t *object);

#endif
