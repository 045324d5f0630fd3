#include "tpm/claims_diff.h"

#include "tpm/claim_words.h"
#include "tpm/event_text.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES_SHOWN = 3 };

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

/* -- sorted claims ------------------------------------------------------------------- */

struct entry {
    size_t rank;
    const char *name;
    const char *value;
    uint32_t pcrs;
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
        last_rank = name == last_name ? last_rank : claim_words_rank(name);
        last_name = name;
        entries[count++] =
            (struct entry){last_rank, name, claims->items[i].value, claims->items[i].pcrs};
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
    bool mixed;    /* the values added, or those removed, are not all the same */
    uint32_t pcrs; /* that said so, before or after */
    const char *added_value[VALUES_SHOWN];
    const char *removed_value[VALUES_SHOWN];
};

static void note(struct change *c, const struct entry *e, size_t *count, const char **values)
{
    c->pcrs |= e->pcrs;
    c->mixed = c->mixed || (*count > 0 && strcmp(values[0], e->value) != 0);
    if (*count < VALUES_SHOWN) {
        values[*count] = e->value;
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

static const char *switched(const struct claim_words *w, const struct change *c)
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
    const struct claim_words *w = claim_words_at(e->rank);
    const char *whole = switched(w, c);
    sentences->pcrs = c->pcrs;
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
            note(&c, x, &c.removed, c.removed_value);
        } else if (order > 0) {
            note(&c, y, &c.added, c.added_value);
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
