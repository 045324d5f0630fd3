/* What was verified about a machine, as policy sees it. Everything is borrowed for the call. A fact
 * that is zero or NULL is not known, and what is not known satisfies no rule. */
#ifndef ITL_POLICY_FACTS_H
#define ITL_POLICY_FACTS_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_PCR_COUNT =
        24, /* PCRs of a PC client TPM (TCG PC Client Platform TPM Profile section 4.6) */
    POLICY_DIGEST_MAX_BYTES = 64,
    POLICY_CLAIMS_MAX = 4096 /* a dbx of 450 entries, db, MOK and a verbose GRUB make 1,500; more
                                count as truncated */
};

/* One verified PCR value. */
struct policy_pcr {
    const char *bank;
    uint8_t index;
    struct view digest;
};

/* One thing the event log says: "secure_boot.enabled" is "true". Names repeat for sets, in the
 * order of the log. */
struct policy_claim {
    const char *name;
    struct view value;
    uint32_t pcrs; /* bit i: an event of PCR i says so; 0 when the caller does not know. A claim of
                      a PCR that does not replay is not seen */
};

/* A one-shot exception of this machine that was used before; rule and expiry name it, so that it
 * stays used in the next version of the document. */
struct policy_spent {
    const char *rule;
    uint64_t expires_ms;
};

enum policy_log {
    POLICY_LOG_ABSENT = 0,
    POLICY_LOG_UNREADABLE,
    POLICY_LOG_READ /* log_replays and log_differs say how it compares with the quote */
};

struct policy_facts {
    bool quoted; /* a quote was verified and covers exactly the policy's selection */
    const struct policy_pcr
        *pcrs; /* the values that hash to the quoted digest; ignored without a quote. A PCR
                  that the policy has values for and that is missing here fails */
    size_t pcr_count;
    const char *ak_key; /* "P-384", …; NULL when no AK is known */
    bool ek_has_certificate;
    bool ek_chain_trusted;
    bool ek_hash_allowed; /* by a list beyond the policy's own, which is looked at anyway */
    bool ek_expired;      /* the EK certificate is past its notAfter */
    err_t ek_reason;      /* why the chain does not hold; OK when that is not known */

    const char *ek_fingerprint; /* SHA-384 of SubjectPublicKeyInfo, 96 lower-case hex digits */
    const char *ek_public_hash; /* SHA-256 of it, 64 digits */
    /* From the EK certificate; worth something only when ek_chain_trusted. */
    const char *ek_manufacturer; /* "id:4E544300" */
    const char *ek_model;
    const char *ek_version;
    const char *ek_serial;
    uint64_t firmware_version; /* from the quote (TPMS_ATTEST, TPM 2.0 Part 2 section 10.12.8) */

    const char *machine_id; /* UUID in lower case */
    const char *role;
    const char *cluster;

    enum policy_log event_log;
    uint32_t log_replays; /* bit i: replaying gives the quoted value of PCR i in each quoted bank;
                             also when the log never extends it and it has its start value */
    uint32_t log_differs; /* bit i: the log extends PCR i and replaying gives another value */
    const struct policy_claim *claims;
    size_t claim_count;
    bool claims_truncated; /* the log says more than `claims` has room for */

    const struct policy_spent *spent;
    size_t spent_count;
    uint64_t now_ms; /* UTC, the caller's clock */
};

#endif
