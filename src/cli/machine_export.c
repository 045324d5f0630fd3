/* machine export: the last evidence of a machine as files, for the evidence commands and for
 * whoever wants to see for themselves. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/machine_lookup.h"
#include "cli/print.h"

enum { PART_MAX_BYTES = 512 * 1024 /* an event log */, SUMMARY_MAX_BYTES = 64 * 1024 };

/* Parts of the answer in base64, and the file that each becomes. */
static const struct part {
    const char *member;
    const char *file;
} parts[] = {
    {"pcr_quote", "quote.bin"},    {"pcr_signature", "signature.bin"},
    {"ak_pub", "ak.bin"},          {"ek", "ek.bin"},
    {"event_log", "eventlog.bin"}, {"accepted_event_log", "accepted-eventlog.bin"},
};

enum { PART_COUNT = sizeof parts / sizeof parts[0] };

static ERRFN write_file(const char *folder, const char *name, struct view bytes)
{
    char path[PATH_MAX];
    ENSURE(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path, TOO_LONG);
    return fd_write_file_atomic(path, bytes, 0600);
}

/* Takes the part out of the answer, so that what is left is a summary. */
static ERRFN write_part(const char *folder, const struct part *part, json_t *answer)
{
    const json_t *text = json_object_get(answer, part->member);
    if (json_is_string(text)) {
        AUTO(buf) bytes = NULL;
        TRY(buf_new(PART_MAX_BYTES, &bytes));
        ENSURE(
            IS_OK(base64_decode(view_of(json_string_value(text), json_string_length(text)), bytes)),
            ANSWER_INVALID);
        TRY(write_file(folder, part->file, buf_view(bytes)));
    }
    json_object_del(answer, part->member);
    return OK;
}

static ERRFN write_json(const char *folder, const char *name, const json_t *value)
{
    AUTO(buf) text = NULL;
    TRY(json_write(value, 2, SUMMARY_MAX_BYTES, &text));
    return write_file(folder, name, buf_view(text));
}

static ERRFN write_values(const char *folder, json_t *answer)
{
    const json_t *values = json_object_get(answer, "pcr_values");
    ENSURE(json_is_object(values), ANSWER_INVALID);
    if (json_object_size(values) > 0) {
        TRY(write_json(folder, "pcrs.json", values));
    }
    json_object_del(answer, "pcr_values");
    return OK;
}

static bool is_there(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat status;
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           stat(path, &status) == 0;
}

/* What to look at it with. */
static void print_commands(const char *folder, const char *ek_source)
{
    if (is_there(folder, "quote.bin") && is_there(folder, "ak.bin")) {
        printf("attestation evidence quote --quote %s/quote.bin --signature %s/signature.bin --ak "
               "%s/ak.bin",
               folder, folder, folder);
        if (is_there(folder, "pcrs.json")) {
            printf(" --pcrs %s/pcrs.json", folder);
        }
        if (is_there(folder, "eventlog.bin")) {
            printf(" --eventlog %s/eventlog.bin", folder);
        }
        puts("");
    }
    if (strcmp(ek_source, "cert") == 0) {
        printf("attestation evidence ek %s/ek.bin --ca-dir FOLDER\n", folder);
    }
    if (is_there(folder, "eventlog.bin") && is_there(folder, "accepted-eventlog.bin")) {
        printf("attestation evidence diff %s/accepted-eventlog.bin %s/eventlog.bin\n", folder,
               folder);
    }
}

static void remove_file(const char *folder, const char *name)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path) {
        (void)unlink(path);
    }
}

/* Half of the evidence is none, and in the way of the next try. */
static void remove_all(const char *folder)
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        remove_file(folder, parts[i].file);
    }
    remove_file(folder, "pcrs.json");
    remove_file(folder, "evidence.json");
    (void)rmdir(folder);
}

static ERRFN write_files(const char *folder, json_t *answer)
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        TRY(write_part(folder, &parts[i], answer));
    }
    TRY(write_values(folder, answer));
    return write_json(folder, "evidence.json", answer);
}

static ERRFN write_all(const char *folder, json_t *answer)
{
    ENSURE(mkdir(folder, 0700) == 0 || errno != EEXIST, FOLDER_EXISTS);
    err_t written = write_files(folder, answer);
    if (!IS_OK(written)) {
        remove_all(folder);
    }
    return written;
}

err_t machine_export(struct session *session, const struct options *options)
{
    AUTO(json) machine = NULL;
    AUTO(json) answer = NULL;
    const char *folder = options->arguments[3];
    const char *id;
    const char *ek_source;
    char target[96];
    TRY(machine_lookup(session, options->arguments[2], &machine));
    TRY(json_get_text(machine, "machine_id", MACHINE_ID_CHARS, &id));
    snprintf(target, sizeof target, "/api/v1/machines/%s/evidence/latest", id);
    TRY(session_get_object(session, target, &answer));
    TRY(json_get_text(answer, "ek_source", 8, &ek_source));
    TRY(write_all(folder, answer));
    if (options->output == OUTPUT_JSON) {
        return print_json(answer);
    }
    print_commands(folder, ek_source);
    return OK;
}
