/* A small world of CAs for the tests of trust: a root, an intermediate below it, keys for EKs; how
 * certificates get in and are judged. */
#ifndef ITL_TESTS_TPM_TRUST_WORLD_H
#define ITL_TESTS_TPM_TRUST_WORLD_H

#include "issue.h"

#include "tpm/trust.h"

extern const uint64_t world_now_ms; /* 2025-01-01 */

struct trust_world {
    EVP_PKEY *root_key;   /* P-384 */
    EVP_PKEY *inter_key;  /* P-256, as are the next two */
    EVP_PKEY *second_key; /* of another CA */
    EVP_PKEY *ek_key;
    EVP_PKEY *ek_rsa_key; /* RSA-2048 */
};

/* For cmocka_run_group_tests. */
int world_make(void **state);
int world_end(void **state);

/* Trust in "Root" and "Inter" as they should be. */
struct trust *world_trust(struct trust_world *w);

/* Issues and adds a certificate that must be new. */
void world_add(struct trust *trust, const struct issue_spec *spec, bool root);

/* The same as from a folder of mixed origin. */
struct trust_mixed world_add_mixed(struct trust *trust, const struct issue_spec *spec);

struct buf *world_der(const struct issue_spec *spec);
struct ek *world_ek(const struct issue_spec *spec);

/* Issues an EK certificate and judges it, without intermediates from a node. */
struct trust_verdict world_judge(const struct trust *trust, const struct issue_spec *spec);
struct trust_verdict world_judge_at(const struct trust *trust, const struct issue_spec *spec,
                                    uint64_t at_ms);
struct trust_verdict world_judge_der(const struct trust *trust, struct view der);

/* Judges a good EK below this intermediate, which is below a good root. */
struct trust_verdict world_judge_below(struct trust_world *w, const struct issue_spec *inter);

void assert_trusted(struct trust_verdict verdict);
void assert_invalid(struct trust_verdict verdict, enum trust_finding finding);

/* The first finding, whatever follows from it. */
void assert_finding(struct trust_verdict verdict, enum trust_finding finding);

#endif
