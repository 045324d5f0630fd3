#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "cli/eventlog.h"
#include "cli/evidence_file.h"
#include "cli/evidence_pcrs.h"
#include "cli/evidence_quote_report.h"

enum { NONCE_MAX_BYTES = 1024 }; /* extraData holds 66; a longer one is just not what was quoted */

/* What is read for one quote. */
struct material {
    struct buf *quote;
    struct buf *signature;
    struct quote_key *key;
    err_t key_fault; /* AK_ALGORITHM when the key can't be used at all; `key` is NULL then */
    struct buf *nonce;
    struct view nonce_view;
    struct pcr_values values;
    struct eventlog eventlog; /* empty without --eventlog */
    struct evidence_replay replay;
};

static void material_clear(struct material *material)
{
    buf_free(material->quote);
    buf_free(material->signature);
    quote_key_free(material->key);
    buf_free(material->nonce);
    eventlog_close(&material->eventlog);
}

static enum exit_status unreadable(const char *path, err_t e)
{
    fprintf(stderr, "attestation: %s: %s [%s]\n", path, evidence_file_fault(e), err_reason(e));
    return EXIT_UNREADABLE;
}

/* Says which file it was. */
static ERRFN complain(const char *path, err_t e)
{
    if (!IS_OK(e)) {
        unreadable(path, e);
    }
    return e;
}

static ERRFN read_nonce(const char *text, struct material *material)
{
    uint8_t *at;
    size_t len = strlen(text) / 2;
    ENSURE(len <= NONCE_MAX_BYTES, TOO_LONG);
    TRY(buf_new(NONCE_MAX_BYTES, &material->nonce));
    TRY(buf_extend(material->nonce, len, &at));
    TRY(hex_decode(view_text(text), at, len));
    material->nonce_view = buf_view(material->nonce);
    return OK;
}

static ERRFN read_key(const char *path, struct material *material)
{
    AUTO(buf) bytes = NULL;
    TRY(evidence_file_read(path, EVIDENCE_AK, &bytes));
    err_t read = quote_key_read(buf_view(bytes), &material->key);
    if (IS_E(read, AK_ALGORITHM)) {
        material->key_fault = read;
        return OK;
    }
    return read;
}

static ERRFN read_material(const struct options *o, struct material *material)
{
    if (o->nonce) {
        TRY(complain("--nonce", read_nonce(o->nonce, material)));
    }
    TRY(complain(o->quote, evidence_file_read(o->quote, EVIDENCE_QUOTE, &material->quote)));
    TRY(complain(o->signature,
                 evidence_file_read(o->signature, EVIDENCE_SIGNATURE, &material->signature)));
    TRY(complain(o->ak, read_key(o->ak, material)));
    if (o->userspace_log && !o->eventlog) {
        return complain("--userspace-log without --eventlog", E(FIELD_MISSING));
    }
    return o->eventlog ? eventlog_open(o->eventlog, o->userspace_log, &material->eventlog) : OK;
}

/* The order of plain values is the quote's. */
static ERRFN read_values(const struct options *o, struct material *material)
{
    AUTO(buf) content = NULL;
    struct quote quote;
    size_t offset;
    TRY(fd_read_file(o->pcrs, EVIDENCE_FILE_MAX_BYTES, &content));
    if (!IS_OK(quote_read(buf_view(material->quote), &quote, &offset))) {
        return OK; /* which is said when it is judged */
    }
    return evidence_pcrs_read(buf_view(content), &quote.selection, &material->values);
}

/* Adds what the event log, if there is one, says about the quote. */
static ERRFN replay(const struct options *options, struct material *material,
                    struct quote_report *report)
{
    if (!material->eventlog.log) {
        return OK;
    }
    TRY(evidence_replay_check(material->eventlog.log, material->eventlog.replay, report->quote,
                              options->pcrs ? &material->values : NULL, &material->replay));
    report->replay = &material->replay;
    if (!material->replay.explained) {
        report->reasons[report->count++] = E(EVENT_LOG_REPLAY);
    }
    return OK;
}

static enum exit_status print(const struct options *options, struct material *material,
                              struct quote_report *report)
{
    err_t replayed = report->quote ? replay(options, material, report) : OK;
    if (!IS_OK(replayed)) {
        return unreadable(options->eventlog, replayed);
    }
    err_t printed = quote_report_print(report, options->output);
    if (!IS_OK(printed)) {
        return unreadable("standard output", printed);
    }
    return report->count == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static enum exit_status fail(const struct options *options, const struct quote_verdict *verdict,
                             err_t e)
{
    const char *path = verdict->part == QUOTE_PART_QUOTE ? options->quote : options->signature;
    fprintf(stderr, "attestation: %s: at byte %zu: %s [%s]\n", path, verdict->offset, err_text(e),
            err_reason(e));
    return EXIT_UNREADABLE;
}

/* A key that can't be used leaves the signature unchecked, and the rest still to be seen. */
static enum exit_status show_without_key(const struct options *options, struct material *material)
{
    struct quote_verdict verdict = {.part = QUOTE_PART_QUOTE};
    err_t read = quote_read(buf_view(material->quote), &verdict.quote, &verdict.offset);
    if (!IS_OK(read)) {
        return fail(options, &verdict, read);
    }
    struct quote_report report = {.quote = &verdict.quote,
                                  .reasons = {quote_header_fault(&verdict.quote)}};
    report.count = IS_OK(report.reasons[0]) ? 0 : 1;
    report.reasons[report.count++] = material->key_fault;
    return print(options, material, &report);
}

static enum exit_status judge(const struct options *options, struct material *material)
{
    if (!material->key) {
        return show_without_key(options, material);
    }
    struct quote_evidence evidence = {.quote = buf_view(material->quote),
                                      .signature = buf_view(material->signature),
                                      .key = material->key,
                                      .nonce = options->nonce ? &material->nonce_view : NULL,
                                      .values = options->pcrs ? &material->values : NULL};
    struct quote_verdict verdict;
    err_t judged = quote_judge(&evidence, &verdict);
    if (!IS_OK(judged)) {
        return fail(options, &verdict, judged);
    }
    struct quote_report report = {.quote = &verdict.quote,
                                  .key = material->key,
                                  .scheme = verdict.scheme,
                                  .hash_alg = verdict.hash_alg,
                                  .count = verdict.count,
                                  .nonce_checked = evidence.nonce,
                                  .values_checked = evidence.values};
    memcpy(report.reasons, verdict.reasons, sizeof verdict.reasons);
    return print(options, material, &report);
}

static enum exit_status inspect(const struct options *options, struct material *material)
{
    if (!IS_OK(read_material(options, material))) {
        return EXIT_UNREADABLE;
    }
    if (quote_is_tpm12(buf_view(material->quote))) {
        struct quote_report report = {.tpm12 = true, .reasons = {E(QUOTE_TYPE)}, .count = 1};
        return print(options, material, &report);
    }
    if (options->pcrs && !IS_OK(complain(options->pcrs, read_values(options, material)))) {
        return EXIT_UNREADABLE;
    }
    return judge(options, material);
}

enum exit_status evidence_quote(const struct options *options)
{
    struct material material = {0};
    enum exit_status status = inspect(options, &material);
    material_clear(&material);
    return status;
}
