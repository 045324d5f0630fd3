#include "cli/evidence_folder.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cli/evidence_file.h"

enum { FOLDER_DEPTH_MAX = 8 }; /* vendor, kind, generation: three are in use */

AUTO_DEFINE(fts, FTS, fts_close);

static void warn(const char *path, const char *what)
{
    fprintf(stderr, "attestation: warning: %s: %s\n", path, what);
}

static ERRFN add_content(struct trust *trust, const char *path, struct view content)
{
    AUTO(buf) bytes = NULL;
    struct trust_mixed added;
    err_t e = evidence_decode(content, EVIDENCE_ANY, &bytes);
    e = IS_OK(e) ? trust_add_mixed(trust, buf_view(bytes), &added) : e;
    if (IS_E(e, FIELD_INVALID)) {
        warn(path, "no certificate in it that can be read; passed over");
        return OK;
    }
    TRY(e);
    if (added.skipped > 0) {
        warn(path, "parts of it are no certificate; passed over");
    }
    return OK;
}

static ERRFN add_file(struct trust *trust, const char *path)
{
    AUTO(buf) content = NULL;
    err_t read = fd_read_file(path, TRUST_FILE_MAX_BYTES, &content);
    if (!IS_OK(read)) {
        warn(path, evidence_file_fault(read));
        return IS_E(read, NO_MEMORY) ? read : OK;
    }
    return add_content(trust, path, buf_view(content));
}

static ERRFN add_entry(struct trust *trust, FTS *walk, FTSENT *entry)
{
    switch (entry->fts_info) {
    case FTS_F:
        return entry->fts_name[0] == '.' && entry->fts_level > 0 ? OK
                                                                 : add_file(trust, entry->fts_path);
    case FTS_D:
        if (entry->fts_level > FOLDER_DEPTH_MAX) {
            warn(entry->fts_path, "too many folders down; passed over");
        }
        if (entry->fts_level > FOLDER_DEPTH_MAX ||
            (entry->fts_level > 0 && entry->fts_name[0] == '.')) {
            fts_set(walk, entry, FTS_SKIP);
        }
        return OK;
    case FTS_SLNONE:
        ENSURE(entry->fts_level > 0, CONFIG_UNREADABLE);
        warn(entry->fts_path, "a link that leads to nothing; passed over");
        return OK;
    case FTS_NS:
    case FTS_ERR:
    case FTS_DNR:
        ENSURE(entry->fts_level > 0, CONFIG_UNREADABLE);
        warn(entry->fts_path, strerror(entry->fts_errno));
        return OK;
    }
    return OK;
}

/* By bytes, not by locale: the order must be the same everywhere. */
static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

ERRFN evidence_folder_add(struct trust *trust, const char *folder)
{
    char *roots[] = {(char *)(uintptr_t)folder, NULL};
    AUTO(fts) walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    ENSURE(walk, NO_MEMORY);
    FTSENT *entry;
    for (size_t count = 0; (entry = fts_read(walk)); count++) {
        ENSURE(count < TRUST_FILES_MAX, TOO_LONG);
        TRY(add_entry(trust, walk, entry));
    }
    return OK;
}
