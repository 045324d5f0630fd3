#include "fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/fd.h"
#include "base/text.h"

void sample_bytes(uint8_t *out_bytes, size_t len, unsigned n)
{
    for (size_t i = 0; i < len; i++) {
        out_bytes[i] = (uint8_t)(i * 7 + (n >> (8 * (i % 4))) + 1);
    }
}

static void sample_hex(char *out_text, size_t bytes, unsigned n)
{
    uint8_t raw[64];
    sample_bytes(raw, bytes, n);
    hex_encode(view_of(raw, bytes), out_text);
}

struct machine sample_machine(unsigned n)
{
    struct machine m = {
        .ek_source = 1,
        .hw_uuid = "4c4c4544-0042-3510-8053-b4c04f565432",
        .hw_mac = "aa:bb:cc:dd:ee:ff",
        .hw_serial = "SN-1",
        .hw_product = "PowerEdge",
        .desired_role = "worker-app",
        .status = MACHINE_PENDING_APPROVAL,
        .cluster_id = "default",
        .registered_at = FIXTURE_NOW_MS,
        .ek_manufacturer = "id:49465800",
        .ek_model = "SLB9670",
        .ek_version = "id:0755",
        .ek_anchor = "CN=Root",
    };
    snprintf(m.machine_id, sizeof m.machine_id, "%08x-0000-4000-8000-000000000000", n);
    sample_hex(m.ek_fingerprint, 48, n);
    sample_hex(m.ek_public_hash, 32, n);
    return m;
}

struct ek_record sample_ek(unsigned n)
{
    struct machine m = sample_machine(n);
    struct ek_record ek = {
        .source = 1,
        .key_type = 2,
        .certificate = view_text("certificate as received"),
        .spki = view_text("subject public key info"),
        .public_area = VIEW_EMPTY,
    };
    memcpy(ek.fingerprint, m.ek_fingerprint, sizeof ek.fingerprint);
    memcpy(ek.machine_id, m.machine_id, sizeof ek.machine_id);
    return ek;
}

void fixture_insert_machine(struct fixture *f, unsigned n)
{
    struct machine m = sample_machine(n);
    struct ek_record ek = sample_ek(n);
    IN_BATCH(f, assert_ok(machine_insert(f->db, &m, &ek)));
}

void fixture_append_audit(struct fixture *f, unsigned count)
{
    assert_ok(db_begin(f->db));
    for (unsigned i = 0; i < count; i++) {
        struct audit_row row = {
            .action = i % 2 ? "approve" : "attest",
            .actor = "https://idp.example|alice",
            .machine_id = sample_machine(i % 3).machine_id,
            .prev_state = "registered",
            .new_state = "attested",
            .detail = "{\"pcr\":\"ok\"}",
            .source_ip = "192.0.2.1",
            .time_ms = FIXTURE_NOW_MS + i,
        };
        assert_ok(audit_append(f->db, &row));
    }
    assert_ok(db_commit(f->db));
}

void fixture_open(struct fixture *f)
{
    assert_ok(db_open(f->path, f->key, FIXTURE_NOW_MS, &f->db));
}

void fixture_close(struct fixture *f)
{
    db_close(f->db);
    f->db = NULL;
}

int fixture_setup_closed(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/itl-sql-XXXXXX");
    if (!mkdtemp(f->folder) || !IS_OK(secret_setup()) ||
        !IS_OK(secret_random(DB_KEY_BYTES, &f->key))) {
        return -1;
    }
    snprintf(f->path, sizeof f->path, "%.200s/itl.db", f->folder);
    *state = f;
    return 0;
}

int fixture_setup(void **state)
{
    if (fixture_setup_closed(state) != 0) {
        return -1;
    }
    fixture_open(*state);
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    DIR *folder = opendir(f->folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    rmdir(f->folder);
    secret_free(f->key);
    free(f);
    return 0;
}

static sqlite3 *raw_open(struct fixture *f)
{
    sqlite3 *raw = NULL;
    char key[HEX_TEXT_SIZE(DB_KEY_BYTES) + 3] = "x'";
    hex_encode(secret_view(f->key), key + 2);
    strcat(key, "'");
    assert_int_equal(sqlite3_open(f->path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_key(raw, key, (int)strlen(key)), SQLITE_OK);
    return raw;
}

static void raw_run(sqlite3 *raw, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(raw, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
}

int fixture_try_tamper(struct fixture *f, const char *sql)
{
    sqlite3 *raw = raw_open(f);
    int code = sqlite3_exec(raw, sql, NULL, NULL, NULL);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
    return code;
}

void fixture_tamper(struct fixture *f, const char *sql)
{
    sqlite3 *raw = raw_open(f);
    raw_run(raw, sql);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
}

/* Keeps the text of a trigger and drops it. */
static int take_trigger(void *context, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    char *text = context;
    size_t len = strlen(text);
    snprintf(text + len, 4096 - len, "%s;", values[0]);
    return 0;
}

void fixture_tamper_audit(struct fixture *f, const char *sql)
{
    char triggers[4096] = "";
    sqlite3 *raw = raw_open(f);
    assert_int_equal(sqlite3_exec(raw,
                                  "SELECT sql FROM sqlite_schema WHERE type = 'trigger' "
                                  "AND name LIKE 'audit%'",
                                  take_trigger, triggers, NULL),
                     SQLITE_OK);
    raw_run(raw, "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;"
                 "DROP TRIGGER audit_head_no_update");
    raw_run(raw, sql);
    raw_run(raw, triggers);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
}

void fixture_copy_file(const char *from, const char *to)
{
    AUTO(buf) content = NULL;
    assert_ok(fd_read_file(from, 64 * 1024 * 1024, &content));
    assert_ok(fd_write_file_atomic(to, buf_view(content), 0600));
}
