#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/evidence_ek_report.h"
#include "cli/evidence_file.h"
#include "cli/evidence_folder.h"
#include "cli/evidence_time.h"

static enum exit_status fail(const char *path, err_t e)
{
    fprintf(stderr, "attestation: %s: %s [%s]\n", path, err_text(e), err_reason(e));
    return EXIT_UNREADABLE;
}

static enum exit_status print_verdict(const struct options *options, const json_t *object)
{
    err_t printed = ek_report_print(object, options->output);
    if (!IS_OK(printed)) {
        return fail("standard output", printed);
    }
    const char *chain = json_string_value(json_object_get(object, "chain"));
    return strcmp(chain, "trusted") == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static enum exit_status refuse(const struct options *options, const char *word,
                               const char *sentence)
{
    AUTO(json) object = NULL;
    err_t described = ek_report_make_other(word, sentence, &object);
    if (!IS_OK(described)) {
        return fail("", described);
    }
    fprintf(stderr, "attestation: %s: %s [%s]\n", options->arguments[2], sentence, word);
    return print_verdict(options, object);
}

static enum exit_status report_unreadable(const struct options *options, err_t e,
                                          const struct ek_diagnosis *fault)
{
    if (IS_E(e, EK_KEY_UNSUPPORTED)) {
        return refuse(options, err_reason(e), err_text(e));
    }
    if (fault->relative == EK_RELATIVE_ATTRIBUTE_CERTIFICATE) {
        return refuse(options, "attribute_certificate",
                      "Not an EK certificate: it is an X.509 attribute certificate, as platform "
                      "certificates are; it holds no key.");
    }
    if (!fault->what) {
        return fail(options->arguments[2], e);
    }
    fprintf(stderr, "attestation: %s: at byte %zu: %s. %s [%s]\n", options->arguments[2],
            fault->offset, fault->what, err_text(e), err_reason(e));
    return EXIT_UNREADABLE;
}

static ERRFN load_trust(const struct options *options, struct trust **out_trust)
{
    AUTO(trust) trust = NULL;
    TRY(trust_new(&trust));
    for (int i = 0; i < options->ca_dirs_count; i++) {
        err_t added = evidence_folder_add(trust, options->ca_dirs[i]);
        if (!IS_OK(added)) {
            fprintf(stderr, "attestation: --ca-dir %s: %s [%s]\n", options->ca_dirs[i],
                    err_text(added), err_reason(added));
            return added;
        }
    }
    *out_trust = STEAL(trust);
    return OK;
}

static enum exit_status judge(const struct options *options, struct trust *trust, struct view bytes,
                              uint64_t now_ms)
{
    struct ek_evidence evidence;
    AUTO(json) object = NULL;
    err_t read = ek_evidence_read(bytes, trust, &evidence);
    err_t described = IS_OK(read) ? ek_report_make(&evidence, trust, now_ms, &object) : OK;
    struct ek_diagnosis fault = evidence.fault;
    ek_evidence_clear(&evidence);
    if (!IS_OK(read)) {
        return report_unreadable(options, read, &fault);
    }
    return IS_OK(described) ? print_verdict(options, object)
                            : fail(options->arguments[2], described);
}

enum exit_status evidence_ek(const struct options *options)
{
    uint64_t now_ms = clock_utc_ms();
    if (options->at && !IS_OK(evidence_time_parse(options->at, &now_ms))) {
        fprintf(stderr, "attestation: --at takes RFC 3339 or YYYY-MM-DD, not %s\n", options->at);
        return EXIT_USAGE;
    }
    AUTO(trust) trust = NULL;
    if (!IS_OK(load_trust(options, &trust))) {
        return EXIT_USAGE;
    }
    AUTO(buf) bytes = NULL;
    err_t read = evidence_file_read(options->arguments[2], EVIDENCE_EK, &bytes);
    if (!IS_OK(read)) {
        fprintf(stderr, "attestation: %s: %s [%s]\n", options->arguments[2],
                evidence_file_fault(read), err_reason(read));
        return EXIT_UNREADABLE;
    }
    return judge(options, trust, buf_view(bytes), now_ms);
}
