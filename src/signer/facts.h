/* From verified evidence to what policy looks at. The only place where the words of tpm/ become those of policy/. */
#ifndef ITL_SIGNER_FACTS_H
#define ITL_SIGNER_FACTS_H

#include "signer/signer.h"
#include "sql/policies.h"
#include "tpm/claims.h"
#include "tpm/ek.h"
#include "tpm/event_log.h"

/* What was verified, borrowed for the call. `values` are those that hash to the quoted digest; without any, the log's own replay is tried
 * against `pcr_digest`. */
struct evidence {
    const struct machine *machine;
    const struct ek *ek;
    const struct trust_verdict *trust;
    const char *ak_key; /* "P-384", … */
    uint16_t ak_hash_alg;
    bool quoted;
    struct pcr_selection selection;
    struct view pcr_digest;
    struct pcr_values values;
    uint64_t firmware_version;
    struct view event_log; /* as received; empty for none. Outlives the facts */
};

/* `policy` is what policy_evaluate takes; the rest is what it points into. */
struct facts {
    struct policy_facts policy;
    struct pcr_values values;
    struct policy_pcr pcrs[PCR_VALUES_MAX];
    struct event_log *log;     /* NULL when there is none that can be read */
    struct claims *log_claims; /* NULL without a log */
    struct policy_claim *claims;
    struct spent_exception spent_rows[SPENT_LISTED_MAX];
    struct policy_spent spent[SPENT_LISTED_MAX];
    char ek_fingerprint[MACHINE_EK_SIZE];
    char ek_public_hash[65];
};

/* An event log that can't be read is a fact, not an error. Errors: those of sql/policies.h, CRYPTO, NO_MEMORY. */
ERRFN facts_make(struct call *call, const struct evidence *evidence, struct facts **out_facts);

/* The same from what is stored of a machine's last evidence, its EK judged anew by `trust`; `storage` must outlive the facts and be
 * cleared in any case. Errors: NOT_FOUND when it never proved anything. */
struct facts_storage {
    struct evidence evidence;
    struct trust_verdict trust;
    struct ek *ek;
    struct buf *parts;
    struct buf *log;
    char ak_key[64];
    uint64_t time_ms;
    uint64_t policy_number;
    int verdict;
    uint32_t reset_count;
    uint32_t restart_count;
};
ERRFN facts_load(struct call *call, const struct machine *machine, const struct trust *trust, struct facts_storage *out_storage,
                 struct facts **out_facts);
void facts_storage_clear(struct facts_storage *storage);

void facts_free(struct facts *facts);
AUTO_DEFINE(facts, struct facts, facts_free);

#endif
