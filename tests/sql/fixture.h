/* A database in a folder of its own, and records to put into it. */
#ifndef ITL_TESTS_SQL_FIXTURE_H
#define ITL_TESTS_SQL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sql/audit.h"
#include "sql/db.h"
#include "sql/machines.h"
#include "sql/proof.h"
#include "sql/tokens.h"

enum { FIXTURE_PATH_SIZE = 256 };

/* 2026-01-01T00:00:00Z, when every test begins. */
#define FIXTURE_NOW_MS UINT64_C(1767225600000)

struct fixture {
    char folder[FIXTURE_PATH_SIZE];
    char path[FIXTURE_PATH_SIZE];
    struct secret *key;
    struct db *db;
};

/* cmocka setup and teardown: an open database in *state, and the removal of its folder. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The same without opening. */
int fixture_setup_closed(void **state);

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

#define assert_ok(call_)         assert_string_equal(err_reason(call_), "ok")
#define assert_err(call_, name_) assert_string_equal(err_reason(call_), err_reason(E(name_)))

/* Runs statements in a batch of their own. */
#define IN_BATCH(f_, ...)               \
    do {                                \
        assert_ok(db_begin((f_)->db));  \
        __VA_ARGS__;                    \
        assert_ok(db_commit((f_)->db)); \
    } while (0)

/* Machine number n, pending, and its EK; views point to static bytes. */
struct machine sample_machine(unsigned n);
struct ek_record sample_ek(unsigned n);
void fixture_insert_machine(struct fixture *f, unsigned n);

/* Bytes that differ with n. */
void sample_bytes(uint8_t *out_bytes, size_t len, unsigned n);

/* Appends `count` audit rows in a batch of its own. */
void fixture_append_audit(struct fixture *f, unsigned count);

/* The file behind the interface's back: opened with the key, closed again. The first returns
 * SQLite's code, the second expects success, the third takes the audit log's triggers away
 * meanwhile. */
int fixture_try_tamper(struct fixture *f, const char *sql);
void fixture_tamper(struct fixture *f, const char *sql);
void fixture_tamper_audit(struct fixture *f, const char *sql);

/* Up to 64 MiB. */
void fixture_copy_file(const char *from, const char *to);

#endif
