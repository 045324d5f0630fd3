/* An enrollment CA whose key is in memory, and what tests say of errors. */
#ifndef ITL_TESTS_PKI_SOFTWARE_CA_H
#define ITL_TESTS_PKI_SOFTWARE_CA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pki/ca.h"
#include "pki/issue.h"

#define assert_ok(call_)         assert_string_equal(err_reason(call_), "ok")
#define assert_err(call_, name_) assert_string_equal(err_reason(call_), err_reason(E(name_)))

/* 2026-01-01T00:00:00Z */
#define NOW_MS UINT64_C(1767225600000)

struct software_ca {
    EVP_PKEY *key;
    struct buf *pem;
    struct ca *ca;
    unsigned signatures;
};

/* A CA from ten days before NOW_MS on, for ten years; with `extensions` in place of those that it must have where not NULL: OpenSSL's
 * notation of basicConstraints and keyUsage. */
void software_ca_make(struct software_ca *software, const char *curve, const char *constraints, const char *usage);
void software_ca_clear(struct software_ca *software);

/* The functions of struct ca_key for it. */
struct ca_key software_ca_key(struct software_ca *software);

/* cmocka setup and teardown: a good one in *state. */
int software_ca_setup(void **state);
int software_ca_teardown(void **state);

/* A certificate of the profile for `key`, 30 days from NOW_MS. */
struct issue_facts sample_facts(enum issue_profile profile, EVP_PKEY *key);

X509 *parse_certificate(const struct buf *der);

#endif
