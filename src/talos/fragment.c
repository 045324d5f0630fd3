#include "talos/fragment.h"

enum { STEP = 4 }; /* columns per level, as Talos itself writes */

static ERRFN put_leaf_flow(const struct fragment *f, struct buf *out)
{
    switch (f->leaf) {
    case FRAGMENT_LEAF_TEXT:
        return buf_printf(out, "\"%s\"", f->text);
    case FRAGMENT_LEAF_LIST:
        return buf_printf(out, "[\"%s\"]", f->text);
    case FRAGMENT_LEAF_INTERFACE:
        return buf_printf(out, "[{interface: eth0, addresses: [\"%s\"], routes: []}]", f->text);
    case FRAGMENT_LEAF_NONE:
        break;
    }
    return E(BUG);
}

ERRFN fragment_put_flow(const struct fragment *f, struct buf *out)
{
    for (size_t i = 0; i < f->keys_count; i++) {
        TRY(buf_printf(out, "%s%s: ", i > 0 ? "{" : "", f->keys[i]));
    }
    TRY(put_leaf_flow(f, out));
    for (size_t i = 1; i < f->keys_count; i++) {
        TRY(buf_put_text(out, "}"));
    }
    return OK;
}

static ERRFN put_line(struct buf *out, size_t indent, const char *text)
{
    return buf_printf(out, "\n%*s%s", (int)indent, "", text);
}

/* Items stand one step deeper than the key before them; without keys, at the caller's place. */
static ERRFN put_leaf_block(const struct fragment *f, size_t indent, struct buf *out)
{
    switch (f->leaf) {
    case FRAGMENT_LEAF_TEXT:
        return buf_printf(out, "%s\"%s\"", f->keys_count > 0 ? " " : "", f->text);
    case FRAGMENT_LEAF_LIST:
        TRY(put_line(out, indent, "- "));
        return buf_printf(out, "\"%s\"", f->text);
    case FRAGMENT_LEAF_INTERFACE:
        TRY(put_line(out, indent, "- interface: eth0"));
        TRY(put_line(out, indent + 2, "addresses:"));
        TRY(put_line(out, indent + 2 + STEP, "- "));
        TRY(buf_printf(out, "\"%s\"", f->text));
        return put_line(out, indent + 2, "routes: []");
    case FRAGMENT_LEAF_NONE:
        break;
    }
    return E(BUG);
}

ERRFN fragment_put_block(const struct fragment *f, size_t indent, struct buf *out)
{
    for (size_t i = 0; i < f->keys_count; i++) {
        if (i > 0) {
            TRY(put_line(out, indent + i * STEP, ""));
        }
        TRY(buf_printf(out, "%s:", f->keys[i]));
    }
    return put_leaf_block(f, indent + f->keys_count * STEP, out);
}

static void add(struct fragment_nodes *n, enum yaml_kind kind, uint32_t depth, const char *text)
{
    n->node[n->count++] = (struct fragment_node){kind, depth, text};
}

static void add_interface(struct fragment_nodes *n, uint32_t depth, const char *address)
{
    add(n, YAML_KIND_SEQUENCE, depth, "");
    add(n, YAML_KIND_MAPPING, depth + 1, "");
    add(n, YAML_KIND_SCALAR, depth + 2, "interface");
    add(n, YAML_KIND_SCALAR, depth + 2, "eth0");
    add(n, YAML_KIND_SCALAR, depth + 2, "addresses");
    add(n, YAML_KIND_SEQUENCE, depth + 2, "");
    add(n, YAML_KIND_SCALAR, depth + 3, address);
    add(n, YAML_KIND_SCALAR, depth + 2, "routes");
    add(n, YAML_KIND_SEQUENCE, depth + 2, "");
}

void fragment_list_nodes(const struct fragment *f, struct fragment_nodes *n)
{
    _Static_assert(2 * FRAGMENT_KEYS_MAX - 1 + 9 <= FRAGMENT_NODES_MAX,
                   "the longest fragment fits");
    n->count = 0;
    uint32_t depth = 0;
    for (size_t i = 0; i < f->keys_count; i++) {
        if (i > 0) {
            add(n, YAML_KIND_MAPPING, depth++, "");
        }
        add(n, YAML_KIND_SCALAR, depth, f->keys[i]);
    }
    switch (f->leaf) {
    case FRAGMENT_LEAF_TEXT:
        add(n, YAML_KIND_SCALAR, depth, f->text);
        break;
    case FRAGMENT_LEAF_LIST:
        add(n, YAML_KIND_SEQUENCE, depth, "");
        add(n, YAML_KIND_SCALAR, depth + 1, f->text);
        break;
    case FRAGMENT_LEAF_INTERFACE:
        add_interface(n, depth, f->text);
        break;
    case FRAGMENT_LEAF_NONE:
        break;
    }
}
