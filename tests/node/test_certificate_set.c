#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "node/certificate_check.h"
#include "node/certificate_set.h"
#include "node/renewal.h"
#include "tests/base/small_disk.h"
#include "tests/node/issue.h"

enum { RENEWALS = 200, KILLS = 50, PATH_SIZE = 128 };

static char folder[64];
static char prefix[80];

static int start(void **state)
{
    (void)state;
    assert_true(IS_OK(secret_setup()));
    snprintf(folder, sizeof folder, "/tmp/itl-set-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(prefix, sizeof prefix, "%s/enrollment", folder);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    char command[2 * PATH_SIZE];
    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -rf %s", folder, folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char paths[4][PATH_SIZE];
    static size_t turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

static void write_new(void)
{
    struct certificate_set set = {0};
    issue_set(&set);
    assert_true(IS_OK(certificate_set_write(prefix, &set)));
    certificate_set_clear(&set);
}

static unsigned mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(path_of(name), &st), 0);
    return st.st_mode & 07777;
}

static unsigned sets(void)
{
    unsigned count = 0;
    DIR *dir = opendir(path_of("enrollment.d"));
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        count += strncmp(entry->d_name, "set-", 4) == 0;
    }
    closedir(dir);
    return count;
}

static void current(char out_target[static PATH_SIZE])
{
    ssize_t len = readlink(path_of("enrollment.d/current"), out_target, PATH_SIZE - 1);
    assert_true(len > 0);
    out_target[len] = '\0';
}

static void assert_whole(void)
{
    struct certificate_set set = {0};
    struct certificate_facts facts;
    assert_true(IS_OK(certificate_set_read(prefix, &set)));
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        assert_non_null(set.pairs[i].key);
        assert_true(IS_OK(certificate_check(buf_view(set.pairs[i].certificate),
                                            secret_view(set.pairs[i].key), &facts)));
        assert_string_equal(facts.machine_id, i == CERTIFICATE_SVID ? "" : "the-machine");
    }
    assert_true(view_is(buf_view(set.ca), "the CA's certificate\n"));
    certificate_set_clear(&set);
}

static void assert_unchanged(const char *before)
{
    char now[PATH_SIZE];
    current(now);
    assert_string_equal(now, before);
    assert_whole();
    assert_true(sets() <= 2);
}

/* -- the set ----------------------------------------------------------------------------------- */

static void set_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct certificate_set none = {0};
    assert_true(IS_E(certificate_set_read(prefix, &none), NOT_FOUND));
    write_new();
    assert_whole();
    write_new();
    assert_whole();
}

static void keys_and_folders_are_their_owners_alone(void **state)
{
    (void)state;
    mode_t before = umask(0);
    write_new();
    umask(before);
    assert_int_equal(mode_of("enrollment.d"), 0700);
    assert_int_equal(mode_of("enrollment.d/current"), 0500);
    assert_int_equal(mode_of("enrollment.key"), 0400);
    assert_int_equal(mode_of("enrollment-svid.key"), 0400);
    assert_int_equal(mode_of("enrollment.crt"), 0444);
    assert_int_equal(mode_of("enrollment-svid.crt"), 0444);
    assert_int_equal(mode_of("enrollment-ca.crt"), 0444);
}

static void rehearsal_changes_nothing(void **state)
{
    (void)state;
    char before[PATH_SIZE];
    current(before);
    unsigned count = sets();
    assert_true(IS_OK(certificate_set_rehearse(prefix)));
    assert_unchanged(before);
    assert_int_equal(sets(), count);
}

static void set_before_stays_for_whoever_reads_it(void **state)
{
    (void)state;
    AUTO(buf) seen = NULL;
    AUTO(fd) old = open(path_of("enrollment.d/current"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(old >= 0);
    write_new();
    AUTO(fd) file = openat(old, "svid.key", O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(sets(), 2);
    write_new();
    assert_int_equal(sets(), 2);
    assert_int_equal(faccessat(old, "svid.crt", F_OK, 0), -1); /* two renewals later it is gone */
}

static void files_of_an_older_release_are_replaced_by_links(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(unlink(path_of("enrollment.key")), 0);
    AUTO(fd) plain = open(path_of("enrollment.key"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(plain >= 0);
    write_new();
    assert_int_equal(lstat(path_of("enrollment.key"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(mode_of("enrollment.key"), 0400);
}

static void set_without_svid_has_no_link_to_one(void **state)
{
    (void)state;
    char other[96];
    struct stat st;
    struct certificate_set set = {0};
    snprintf(other, sizeof other, "%s/plain", folder);
    issue_set(&set);
    certificate_pair_clear(&set.pairs[CERTIFICATE_SVID]);
    assert_true(IS_OK(certificate_set_write(other, &set)));
    certificate_set_clear(&set);
    assert_int_equal(lstat(path_of("plain-svid.crt"), &st), -1);
    assert_int_equal(stat(path_of("plain.crt"), &st), 0);
}

static void folder_that_others_may_write_to_is_refused(void **state)
{
    (void)state;
    struct certificate_set set = {0};
    issue_set(&set);
    assert_int_equal(chmod(path_of("enrollment.d"), 0770), 0);
    assert_true(IS_E(certificate_set_write(prefix, &set), CERTIFICATE_FOLDER));
    assert_true(IS_E(certificate_set_tidy(prefix), CERTIFICATE_FOLDER));
    assert_int_equal(chmod(path_of("enrollment.d"), 0700), 0);
    char linked[96];
    snprintf(linked, sizeof linked, "%s/linked", folder);
    assert_int_equal(symlink("enrollment.d", path_of("linked.d")), 0);
    assert_true(IS_E(certificate_set_write(linked, &set), CERTIFICATE_FOLDER));
    certificate_set_clear(&set);
}

/* -- what goes wrong --------------------------------------------------------------------------- */

static void left_overs_of_a_crash_are_removed(void **state)
{
    (void)state;
    char before[PATH_SIZE];
    char after[PATH_SIZE];
    write_new();
    current(before);
    assert_int_equal(mkdir(path_of("enrollment.d/set-900"), 0700), 0);
    AUTO(fd)
    half =
        open(path_of("enrollment.d/set-900/enrollment.key"), O_WRONLY | O_CREAT | O_CLOEXEC, 0400);
    assert_true(half >= 0);
    assert_int_equal(symlink("set-900", path_of("enrollment.d/current.new")), 0);
    assert_int_equal(mkdir(path_of("enrollment.d/set-0x1"), 0700), 0); /* none of ours */
    assert_true(IS_OK(certificate_set_tidy(prefix)));
    current(after);
    assert_string_equal(before, after);
    assert_int_equal(access(path_of("enrollment.d/set-900"), F_OK), -1);
    assert_int_equal(access(path_of("enrollment.d/current.new"), F_OK), -1);
    assert_int_equal(rmdir(path_of("enrollment.d/set-0x1")), 0);
    assert_int_equal(unlink(path_of("enrollment.key")), 0);
    assert_true(IS_OK(certificate_set_tidy(prefix)));
    assert_int_equal(mode_of("enrollment.key"), 0400);
    assert_whole();
    write_new();
    assert_whole();
}

/* The writer is killed in the middle of whatever it does, and the next start tidies up. */
static void writer_that_is_killed_at_any_moment_leaves_a_whole_set(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KILLS; i++) {
        pid_t writer = fork();
        assert_true(writer >= 0);
        while (writer == 0) {
            write_new();
        }
        usleep(1000 + i * 977 % 20000);
        kill(writer, SIGKILL);
        assert_int_equal(waitpid(writer, NULL, 0), writer);
        assert_whole();
        assert_true(IS_OK(certificate_set_tidy(prefix)));
        assert_whole();
        assert_true(sets() <= 2);
    }
}

/* Every length at which a file may end too early, as the limit on its size. */
static void file_that_cannot_be_written_leaves_the_old_set_whole(void **state)
{
    (void)state;
    struct rlimit limit;
    struct certificate_set set = {0};
    issue_set(&set);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t usual = limit.rlim_cur;
    for (rlim_t room = 0; room < 450; room += 50) {
        char before[PATH_SIZE];
        current(before);
        limit.rlim_cur = room;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        err_t written = certificate_set_write(prefix, &set);
        limit.rlim_cur = usual;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_false(IS_OK(written));
        assert_unchanged(before);
    }
    assert_true(IS_OK(certificate_set_write(prefix, &set)));
    certificate_set_clear(&set);
    assert_whole();
}

/* Takes what is left of the disk, but for `spare` files; each takes a page as well. */
static void fill_disk(unsigned spare)
{
    char name[32];
    unsigned files = 0;
    for (bool full = false; !full; files += !full) {
        snprintf(name, sizeof name, "filler-%u", files);
        AUTO(fd) fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        full = fd < 0 || (lseek(fd, 0, SEEK_END) == 0 && write(fd, "x", 1) != 1);
    }
    (void)unlink(path_of(name));
    for (unsigned i = 0; i < spare; i++) {
        snprintf(name, sizeof name, "filler-%u", files - 1 - i);
        assert_int_equal(unlink(path_of(name)), 0);
    }
}

/* A set is a folder, five files and, for a moment, a link; short of the last one it must fail. */
static void full_disk_leaves_the_old_set_whole(void **state)
{
    (void)state;
    static const char *const disks[] = {"size=1m,nr_inodes=64", "size=120k"};
    static const unsigned needed[] = {7, 5};
    for (size_t i = 0; i < sizeof disks / sizeof disks[0]; i++) {
        struct certificate_set set = {0};
        if (!small_disk_mount(folder, disks[i])) {
            skip(); /* a runner without namespaces; the limit above takes most of the same paths */
        }
        write_new();
        write_new();
        issue_set(&set);
        for (unsigned spare = 0; spare < needed[i]; spare++) {
            char before[PATH_SIZE];
            current(before);
            fill_disk(spare);
            assert_true(IS_E(certificate_set_rehearse(prefix), DB_FULL));
            assert_true(IS_E(certificate_set_write(prefix, &set), DB_FULL));
            assert_unchanged(before);
        }
        fill_disk(needed[i]);
        assert_true(IS_OK(certificate_set_rehearse(prefix)));
        assert_true(IS_OK(certificate_set_write(prefix, &set)));
        certificate_set_clear(&set);
        assert_whole();
        assert_true(small_disk_unmount(folder));
    }
}

/* In a process of its own until it is killed: reads as a consumer would, folder first. */
static void read_for_ever(int report)
{
    for (;;) {
        struct certificate_set set = {0};
        struct certificate_facts facts;
        char verdict = IS_OK(certificate_set_read(prefix, &set)) ? '.' : '!';
        for (size_t i = 0; i < CERTIFICATE_KINDS && verdict == '.'; i++) {
            const struct certificate_pair *pair = &set.pairs[i];
            bool good = pair->key && pair->certificate && set.ca &&
                        IS_OK(certificate_check(buf_view(pair->certificate), secret_view(pair->key),
                                                &facts));
            verdict = good ? '.' : '!';
        }
        certificate_set_clear(&set);
        if (write(report, &verdict, 1) != 1) {
            _exit(0);
        }
    }
}

/* How many verdicts came since the last time, all of them good; waits for one from a read that
 * ended just now. So a read goes on during one renewal at most, as it does where renewals are a
 * minute apart. */
static unsigned good_reads(int reports)
{
    char verdicts[4096];
    unsigned reads = 0;
    assert_int_equal(fcntl(reports, F_SETFL, O_NONBLOCK), 0);
    ssize_t got = read(reports, verdicts, sizeof verdicts - 1);
    reads += got > 0 ? (unsigned)got : 0;
    assert_int_equal(fcntl(reports, F_SETFL, 0), 0);
    assert_int_equal(read(reports, verdicts + reads, 1), 1);
    reads++;
    for (unsigned i = 0; i < reads; i++) {
        assert_int_equal(verdicts[i], '.');
    }
    return reads;
}

static void reader_never_sees_a_key_beside_another_keys_certificate(void **state)
{
    (void)state;
    int ends[2];
    unsigned reads = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t reader = fork();
    assert_true(reader >= 0);
    if (reader == 0) {
        close(ends[0]);
        read_for_ever(ends[1]);
    }
    close(ends[1]);
    for (unsigned i = 0; i < RENEWALS; i++) {
        write_new();
        reads += good_reads(ends[0]);
    }
    kill(reader, SIGKILL);
    assert_int_equal(waitpid(reader, NULL, 0), reader);
    close(ends[0]);
    assert_true(reads >= RENEWALS);
}

/* -- what is due ------------------------------------------------------------------------------- */

static void renewal_knows_what_it_holds(void **state)
{
    (void)state;
    struct renewal renewal = {0};
    assert_true(renewal_is_due(&renewal, CERTIFICATE_ENROLLMENT));
    write_new();
    renewal_look(&renewal, prefix, NULL);
    assert_false(renewal_is_due(&renewal, CERTIFICATE_ENROLLMENT));
    assert_false(renewal_is_due(&renewal, CERTIFICATE_SVID));
    uint32_t dice = renewal.certificates[0].dice;
    renewal_look(&renewal, prefix, NULL);
    assert_int_equal(renewal.certificates[0].dice, dice); /* thrown once, or the least would win */
    clock_shift_for_test(50 * 60 * 1000);
    assert_true(renewal_is_due(&renewal, CERTIFICATE_SVID));
    clock_shift_for_test(0);
    assert_int_equal(unlink(path_of("enrollment.d/current")), 0);
    renewal_look(&renewal, prefix, NULL);
    assert_true(renewal_is_due(&renewal, CERTIFICATE_SVID));
    write_new();
}

static void certificate_of_another_machine_or_role_is_due(void **state)
{
    (void)state;
    struct renewal renewal = {0};
    renewal_expect(&renewal, "the-machine", "worker-app");
    renewal_look(&renewal, prefix, NULL);
    assert_false(renewal_is_due(&renewal, CERTIFICATE_ENROLLMENT));
    renewal_expect(&renewal, "the-machine", "controlplane");
    renewal_look(&renewal, prefix, NULL);
    assert_true(renewal_is_due(&renewal, CERTIFICATE_ENROLLMENT));
    assert_true(renewal_is_due(&renewal, CERTIFICATE_SVID)); /* names no role, but goes with it */
    renewal_expect(&renewal, "another-machine", "worker-app");
    renewal_look(&renewal, prefix, NULL);
    assert_true(renewal_is_due(&renewal, CERTIFICATE_SVID));
    renewal.svids_off = true;
    assert_false(renewal_is_due(&renewal, CERTIFICATE_SVID));
}

static void clock_that_contradicts_a_new_certificate_is_doubted(void **state)
{
    (void)state;
    const bool obtained[CERTIFICATE_KINDS] = {true, false};
    struct renewal renewal = {0};
    write_new();
    clock_shift_for_test(86400000);
    renewal_look(&renewal, prefix, obtained);
    assert_true(renewal.certificates[CERTIFICATE_ENROLLMENT].clock_doubted);
    assert_false(renewal_is_due(&renewal, CERTIFICATE_ENROLLMENT));
    assert_true(renewal_is_due(&renewal, CERTIFICATE_SVID)); /* found, so it may well have ended */
    clock_shift_for_test(0);
}

static void certificate_found_before_its_time_is_due(void **state)
{
    (void)state;
    struct renewal renewal = {0};
    write_new();
    clock_shift_for_test(-86400000LL *
                         365); /* a machine without a battery, before it has the time */
    renewal_look(&renewal, prefix, NULL);
    assert_true(renewal_is_due(&renewal, CERTIFICATE_ENROLLMENT));
    const bool obtained[CERTIFICATE_KINDS] = {true, true};
    renewal_look(&renewal, prefix, obtained);
    assert_false(renewal_is_due(&renewal, CERTIFICATE_ENROLLMENT));
    clock_shift_for_test(0);
    assert_false(renewal_is_due(&renewal, CERTIFICATE_ENROLLMENT));
}

static void failures_move_the_next_try_away_and_success_brings_it_back(void **state)
{
    (void)state;
    struct renewal renewal = {0};
    uint64_t now = clock_elapsed_ms();
    renewal_done(&renewal, false, 60, 0);
    assert_in_range(renewal.next_at_ms, now + 45000, now + 76000);
    renewal_done(&renewal, false, 60, 900);
    assert_in_range(renewal.next_at_ms, now + 900000, now + 902000);
    renewal_done(&renewal, true, 60, 0);
    assert_in_range(renewal.next_at_ms, now + 60000, now + 61000);
    assert_int_equal(renewal.failures, 0);
    renewal_done(&renewal, true, 0, 0); /* --poll 0 does not make it spin */
    assert_true(renewal.next_at_ms >= now + 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_is_read_as_it_was_written),
        cmocka_unit_test(keys_and_folders_are_their_owners_alone),
        cmocka_unit_test(rehearsal_changes_nothing),
        cmocka_unit_test(set_before_stays_for_whoever_reads_it),
        cmocka_unit_test(files_of_an_older_release_are_replaced_by_links),
        cmocka_unit_test(set_without_svid_has_no_link_to_one),
        cmocka_unit_test(folder_that_others_may_write_to_is_refused),
        cmocka_unit_test(left_overs_of_a_crash_are_removed),
        cmocka_unit_test(writer_that_is_killed_at_any_moment_leaves_a_whole_set),
        cmocka_unit_test(file_that_cannot_be_written_leaves_the_old_set_whole),
        cmocka_unit_test(full_disk_leaves_the_old_set_whole),
        cmocka_unit_test(reader_never_sees_a_key_beside_another_keys_certificate),
        cmocka_unit_test(renewal_knows_what_it_holds),
        cmocka_unit_test(certificate_of_another_machine_or_role_is_due),
        cmocka_unit_test(clock_that_contradicts_a_new_certificate_is_doubted),
        cmocka_unit_test(certificate_found_before_its_time_is_due),
        cmocka_unit_test(failures_move_the_next_try_away_and_success_brings_it_back),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
