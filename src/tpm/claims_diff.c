#include "tpm/claims_diff.h"

#include "tpm/event_text.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_SHOWN = 3 };

/* How a name is called, in the order in which changes are told. */
static const struct wording {
    const char *name;
    const char *subject;
    const char *on;  /* the sentence when a switch went from false or nothing to true */
    const char *off; /* and back */
} wordings[] = {
    {"log.unverified_data", "Events whose data is not what was measured", NULL, NULL},
    {"log.separator.error", "Errors the firmware met", NULL, NULL},
    {"secure_boot.enabled", "Secure Boot", "Secure Boot was switched on.",
     "Secure Boot was switched off."},
    {"firmware.debug_mode", "The firmware's debug mode",
     "The firmware's debug mode was switched on.", "The firmware's debug mode was switched off."},
    {"firmware.dma_protection", "Protection against DMA by devices", NULL, NULL},
    {"secure_boot.setup_mode", "Secure Boot's setup mode",
     "Secure Boot entered setup mode: its keys can be changed by anybody.",
     "Secure Boot left setup mode."},
    {"secure_boot.pk", "The platform's owner key (PK)", NULL, NULL},
    {"secure_boot.kek", "The keys that may change Secure Boot's lists (KEK)", NULL, NULL},
    {"secure_boot.db", "What may boot (db)", NULL, NULL},
    {"secure_boot.dbx", "What must not boot (dbx)", NULL, NULL},
    {"secure_boot.vendor_db", "What shim's vendor lets boot (vendor_db)", NULL, NULL},
    {"secure_boot.mok_list", "The machine owner's keys (MokList)", NULL, NULL},
    {"secure_boot.mok_list.digest", "The machine owner's keys (MokList)", NULL, NULL},
    {"secure_boot.mok_list_x.digest", "What the machine owner forbids (MokListX)", NULL, NULL},
    {"secure_boot.mok_list_trusted", "The kernel's trust in the machine owner's keys", NULL, NULL},
    {"secure_boot.sbat_level", "shim's list of revoked generations (SBAT level)", NULL, NULL},
    {"secure_boot.authority", "The keys that let images run", NULL, NULL},
    {"firmware.crtm_version", "The firmware's version", NULL, NULL},
    {"firmware.crtm", "The firmware's first code", NULL, NULL},
    {"firmware.blob", "The firmware's volumes", NULL, NULL},
    {"boot.loader", "The boot loader", NULL, NULL},
    {"boot.application", "The programs that ran before the operating system", NULL, NULL},
    {"boot.driver", "The drivers that the firmware loaded", NULL, NULL},
    {"kernel.digest", "The kernel", NULL, NULL},
    {"initrd.digest", "The initial RAM disk", NULL, NULL},
    {"kernel.command_line", "The kernel command line", NULL, NULL},
    {"stub.command_line", "The kernel command line", NULL, NULL},
    {"stub.load_options", "The kernel command line", NULL, NULL},
    {"uki.section", "The parts of the unified kernel image", NULL, NULL},
    {"uki.phase", "The boot phases", NULL, NULL},
    {"machine.id", "The machine id", NULL, NULL},
    {"machine.file_system", "The file systems", NULL, NULL},
    {"machine.volume_key", "The keys of encrypted volumes", NULL, NULL},
    {"machine.nvpcr", "The NV indexes that serve as PCRs", NULL, NULL},
    {"grub.file", "The files GRUB read", NULL, NULL},
    {"grub.command", "The commands GRUB ran", NULL, NULL},
    {"boot.order", "The boot order", NULL, NULL},
    {"boot.option", "The boot options", NULL, NULL},
    {"boot.attempts", "The number of boot attempts", NULL, NULL},
    {"boot.gpt_disk_guid", "The disk booted from", NULL, NULL},
    {"windows.code_integrity", "Windows code integrity", "Windows code integrity was switched on.",
     "Windows code integrity was switched off."},
    {"windows.test_signing", "Windows test signing", "Windows accepts test-signed drivers now.",
     "Windows no longer accepts test-signed drivers."},
    {"windows.boot_debugging", "The Windows boot debugger",
     "The Windows boot debugger was switched on.", "The Windows boot debugger was switched off."},
    {"windows.kernel_debugging", "The Windows kernel debugger",
     "The Windows kernel debugger was switched on.",
     "The Windows kernel debugger was switched off."},
    {"windows.hypervisor_debugging", "The Windows hypervisor's debugger",
     "The Windows hypervisor's debugger was switched on.",
     "The Windows hypervisor's debugger was switched off."},
    {"windows.safe_mode", "Windows safe mode", "Windows started in safe mode.",
     "Windows no longer starts in safe mode."},
    {"windows.hypervisor_launch_type", "How the Windows hypervisor starts", NULL, NULL},
    {"windows.vsm_launch_type", "How virtualization-based security starts", NULL, NULL},
    {"windows.code_integrity_policy", "The Windows code integrity policy", NULL, NULL},
    {"windows.elam_driver", "The Windows early malware driver", NULL, NULL},
    {"windows.module", "The modules Windows loaded", NULL, NULL},
};

enum { WORDINGS = sizeof wordings / sizeof wordings[0] };

/* Follow from other claims, or differ at every boot. */
static const char *const silent[] = {
    "boot.application_path", "grub.file_path",        "log.bank",
    "log.userspace",         "log.userspace.unknown", "log.userspace.nv_index",
    "windows.boot_counter"};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static bool is_silent(const char *name)
{
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        if (strcmp(name, silent[i]) == 0) {
            return true;
        }
    }
    if (strncmp(name, "opaque.", strlen("opaque.")) == 0) {
        return true; /* said by events, and by the claims that explain them */
    }
    bool of_shim = strncmp(name, "secure_boot.mok_", strlen("secure_boot.mok_")) == 0;
    return ends_with(name, ".subject") ||
           (ends_with(name, ".digest") && strncmp(name, "secure_boot.", 12) == 0 && !of_shim);
}

static size_t rank_of(const char *name)
{
    size_t rank = 0;
    while (rank < WORDINGS && strcmp(wordings[rank].name, name) != 0) {
        rank++;
    }
    return rank;
}

/* -- sorted claims ------------------------------------------------------------------- */

struct entry {
    size_t rank;
    const char *name;
    const char *value;
};

struct sorted {
    struct entry *entries;
    size_t count;
};

static int compare_names(const struct entry *x, const struct entry *y)
{
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

static int compare(const void *left, const void *right)
{
    const struct entry *x = left;
    const struct entry *y = right;
    int names = compare_names(x, y);
    return names ? names : strcmp(x->value, y->value);
}

static ERRFN sort_claims(const struct claims *claims, struct sorted *out_sorted)
{
    struct entry *entries = calloc(claims->count + 1, sizeof *entries);
    ENSURE(entries, NO_MEMORY);
    size_t count = 0;
    const char *last_name = NULL;
    size_t last_rank = 0;
    for (size_t i = 0; i < claims->count; i++) {
        const char *name = claims->items[i].name;
        if (is_silent(name)) {
            continue;
        }
        last_rank = name == last_name ? last_rank : rank_of(name);
        last_name = name;
        entries[count++] = (struct entry){last_rank, name, claims->items[i].value};
    }
    qsort(entries, count, sizeof *entries, compare);
    *out_sorted = (struct sorted){entries, count};
    return OK;
}

/* -- sentences ----------------------------------------------------------------------- */

struct change {
    size_t added;
    size_t removed;
    size_t kept;
    bool mixed; /* the values added, or those removed, are not all the same */
    const char *added_value[VALUES_SHOWN];
    const char *removed_value[VALUES_SHOWN];
};

static void note(struct change *c, const char *value, size_t *count, const char **values)
{
    c->mixed = c->mixed || (*count > 0 && strcmp(values[0], value) != 0);
    if (*count < VALUES_SHOWN) {
        values[*count] = value;
    }
    (*count)++;
}

/* A few values are shown; of many, the number says more. */
static void put_values(struct event_text *t, size_t count, const char *what,
                       const char *const *values)
{
    event_text_printf(t, " %zu %s", count, what);
    for (size_t i = 0; i < count && count <= VALUES_SHOWN; i++) {
        event_text_put(t, i ? ", " : " (");
        event_text_put(t, values[i]);
    }
    event_text_put(t, count <= VALUES_SHOWN ? ")" : "");
}

static void put_counts(struct event_text *t, const struct change *c)
{
    if (c->added > 0) {
        put_values(t, c->added, "added", c->added_value);
    }
    event_text_put(t, c->added && c->removed ? "," : "");
    if (c->removed > 0) {
        put_values(t, c->removed, "removed", c->removed_value);
    }
    event_text_put(t, ".");
}

static const char *switched(const struct wording *w, const struct change *c)
{
    bool on = c->added == 1 && strcmp(c->added_value[0], "true") == 0;
    bool off = c->removed == 1 && strcmp(c->removed_value[0], "true") == 0;
    if (!w || !w->on || on == off) {
        return NULL;
    }
    return on ? w->on : w->off;
}

static ERRFN tell(const struct entry *e, const struct change *c, struct claims *sentences)
{
    struct event_text t;
    event_text_clear(&t);
    const struct wording *w = e->rank < WORDINGS ? &wordings[e->rank] : NULL;
    const char *whole = switched(w, c);
    event_text_put(&t, whole ? whole : w ? w->subject : e->name);
    if (whole) {
        return claims_add(sentences, e->name, t.text);
    }
    if (c->added > 0 && c->removed > 0 && c->kept == 0 && !c->mixed) {
        event_text_put(&t, " changed from \"");
        event_text_put(&t, c->removed_value[0]);
        event_text_put(&t, "\" to \"");
        event_text_put(&t, c->added_value[0]);
        event_text_put(&t, "\".");
    } else {
        event_text_put(&t, " changed:");
        put_counts(&t, c);
    }
    return claims_add(sentences, e->name, t.text);
}

/* Both lists are sorted alike: one walk over one name. */
static struct change compare_name(const struct sorted *a, size_t *i, const struct sorted *b,
                                  size_t *j, const struct entry *name)
{
    struct change c = {0};
    for (;;) {
        const struct entry *x =
            *i < a->count && compare_names(&a->entries[*i], name) == 0 ? &a->entries[*i] : NULL;
        const struct entry *y =
            *j < b->count && compare_names(&b->entries[*j], name) == 0 ? &b->entries[*j] : NULL;
        if (!x && !y) {
            return c;
        }
        int order = !x ? 1 : !y ? -1 : strcmp(x->value, y->value);
        if (order < 0) {
            note(&c, x->value, &c.removed, c.removed_value);
        } else if (order > 0) {
            note(&c, y->value, &c.added, c.added_value);
        } else {
            c.kept++;
        }
        *i += order <= 0;
        *j += order >= 0;
    }
}

static ERRFN tell_all(const struct sorted *a, const struct sorted *b, struct claims *sentences)
{
    size_t i = 0;
    size_t j = 0;
    while (i < a->count || j < b->count) {
        bool from_a =
            j >= b->count || (i < a->count && compare_names(&a->entries[i], &b->entries[j]) <= 0);
        struct entry name = from_a ? a->entries[i] : b->entries[j];
        struct change c = compare_name(a, &i, b, &j, &name);
        if (c.added || c.removed) {
            TRY(tell(&name, &c, sentences));
        }
    }
    return OK;
}

ERRFN claims_diff(const struct claims *a, const struct claims *b, struct claims **out_sentences)
{
    AUTO(claims) sentences = NULL;
    struct sorted left = {0};
    struct sorted right = {0};
    TRY(claims_new(&sentences));
    err_t e = sort_claims(a, &left);
    e = IS_OK(e) ? sort_claims(b, &right) : e;
    e = IS_OK(e) ? tell_all(&left, &right, sentences) : e;
    free(left.entries);
    free(right.entries);
    TRY(e);
    *out_sentences = STEAL(sentences);
    return OK;
}
