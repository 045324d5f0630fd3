#include "tpm/trust.h"

#include "base/fd.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct entries {
    struct dirent **at;
    int count;
};

static void entries_clear(struct entries *entries)
{
    for (int i = 0; i < entries->count; i++) {
        free(entries->at[i]);
    }
    free(entries->at);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* By bytes, not by locale: the order must be the same everywhere. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static ERRFN load_file(struct trust *trust, const char *path, bool roots)
{
    AUTO(buf) content = NULL;
    TRY(fd_read_file(path, TRUST_FILE_MAX_BYTES, &content));
    size_t count;
    err_t added = roots ? trust_add_root(trust, buf_view(content), &count)
                        : trust_add_intermediate(trust, buf_view(content), &count);
    ENSURE(!IS_E(added, FIELD_INVALID), CONFIG_INVALID);
    return added;
}

static ERRFN load_entry(struct trust *trust, const char *folder, const char *name, bool roots)
{
    char path[PATH_MAX];
    ENSURE(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path, TOO_LONG);
    struct stat info;
    ENSURE(stat(path, &info) == 0, CONFIG_UNREADABLE);
    return S_ISREG(info.st_mode) ? load_file(trust, path, roots) : OK;
}

static ERRFN load_entries(struct trust *trust, const char *folder, bool roots,
                          const struct entries *entries, char *out_bad_file, size_t size)
{
    ENSURE(entries->count <= TRUST_FILES_MAX, TOO_LONG);
    for (int i = 0; i < entries->count; i++) {
        err_t loaded = load_entry(trust, folder, entries->at[i]->d_name, roots);
        if (!IS_OK(loaded) && out_bad_file && size > 0) {
            snprintf(out_bad_file, size, "%s", entries->at[i]->d_name);
        }
        TRY(loaded);
    }
    return OK;
}

ERRFN trust_load_folder(struct trust *trust, const char *folder, bool roots, char *out_bad_file,
                        size_t size)
{
    struct entries entries = {0};
    entries.count = scandir(folder, &entries.at, visible, by_name);
    ENSURE(entries.count >= 0, CONFIG_UNREADABLE);
    err_t loaded = load_entries(trust, folder, roots, &entries, out_bad_file, size);
    entries_clear(&entries);
    return loaded;
}
