/* A piece of YAML to be put into a document: what its text is, and what a reader must find there
 * afterwards. */
#ifndef ITL_TALOS_FRAGMENT_H
#define ITL_TALOS_FRAGMENT_H

#include "yaml/tree.h"

enum { FRAGMENT_KEYS_MAX = 4, FRAGMENT_NODES_MAX = 16 };

enum fragment_leaf {
    FRAGMENT_LEAF_NONE = 0,
    FRAGMENT_LEAF_TEXT,      /* "text" */
    FRAGMENT_LEAF_LIST,      /* a list of one text */
    FRAGMENT_LEAF_INTERFACE, /* a list of one network interface that has the text as its address */
};

/* keys[0]: {keys[1]: … leaf}; without keys, the leaf alone. Borrowed texts without quotes and
 * control characters. */
struct fragment {
    const char *keys[FRAGMENT_KEYS_MAX];
    size_t keys_count;
    enum fragment_leaf leaf;
    const char *text;
};

/* A node as the reader must see it; depth counts from the fragment's own level. */
struct fragment_node {
    enum yaml_kind kind;
    uint32_t depth;
    const char *text; /* of a scalar */
};

struct fragment_nodes {
    struct fragment_node node[FRAGMENT_NODES_MAX];
    size_t count;
};

/* In brackets, on one line: fits everywhere. With keys, the first of them stands without brackets
 * ("a: {b: c}"). */
ERRFN fragment_put_flow(const struct fragment *fragment, struct buf *out_text);

/* By indentation. The first key (or item) is written where the caller is, `indent` columns deep; no
 * line end at the end. */
ERRFN fragment_put_block(const struct fragment *fragment, size_t indent, struct buf *out_text);

/* The nodes of the fragment: its first key, that key's value, and so on. */
void fragment_list_nodes(const struct fragment *fragment, struct fragment_nodes *out_nodes);

#endif
