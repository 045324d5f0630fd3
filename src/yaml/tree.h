/* A YAML text as a flat, read-only array of nodes in the order of the text, each knowing where it
 * stands. Flat, so that walking and comparing need no recursion.
 *
 * A mapping is followed by its keys and values in turn; `next` skips a node with everything below:
 *     for (uint32_t key = node + 1; key < nodes[node].next; key = nodes[key + 1].next)
 * visits the keys, and key + 1 is the value. Keys are always scalars and never repeat within a mapping. */
#ifndef ITL_YAML_TREE_H
#define ITL_YAML_TREE_H

#include "base/bytes.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum yaml_kind {
    YAML_KIND_NONE = 0,
    YAML_KIND_SCALAR,
    YAML_KIND_MAPPING,
    YAML_KIND_SEQUENCE,
    YAML_KIND_ALIAS
};

enum yaml_style {
    YAML_STYLE_NONE = 0,
    YAML_STYLE_PLAIN,  /* scalar without quotes */
    YAML_STYLE_QUOTED, /* scalar in single or double quotes */
    YAML_STYLE_TEXT,   /* scalar after | or > */
    YAML_STYLE_BLOCK,  /* collection by indentation */
    YAML_STYLE_FLOW    /* collection in brackets */
};

#define YAML_NODE_NONE UINT32_MAX

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_style style;
    bool decorated;   /* has an anchor or a tag */
    uint32_t parent;  /* YAML_NODE_NONE for the root of a document */
    uint32_t next;    /* index of the first node that is not below this one */
    uint32_t depth;   /* 1 for a root */
    struct view text; /* decoded content of a scalar, name of an alias */
    size_t start;     /* bytes of the input: [start, end) */
    size_t end;
    unsigned line;   /* from 1 */
    unsigned column; /* from 1, in characters */
};

struct yaml_tree {
    struct yaml_node *nodes;
    uint32_t count;
    uint32_t documents;
    struct buf *text; /* storage of the nodes' texts */
};

/* line and column start at 1; 0 when the fault is not at one place. path is like "hsm.ca.pin_file"
 * and may be empty. */
struct yaml_problem {
    char text[256];
    unsigned line;
    unsigned column;
    char path[128];
};

struct yaml_limits {
    size_t bytes_max;
    uint32_t depth_max;
    uint32_t documents_max;
    bool references; /* aliases, anchors and tags are kept as marks (never expanded) instead of
                        refused */
};

/* Reads the whole text, which must be UTF-8. Errors: YAML_INVALID with out_problem filled in,
 * NO_MEMORY. The tree does not borrow from `text`. */
ERRFN yaml_tree_read(struct view text, const struct yaml_limits *limits,
                     struct yaml_tree **out_tree, struct yaml_problem *out_problem);

void yaml_tree_free(struct yaml_tree *tree);
AUTO_DEFINE(yaml_tree, struct yaml_tree, yaml_tree_free);

/* The value under `key`, or YAML_NODE_NONE when `mapping` is not a mapping or has no such key. */
uint32_t yaml_tree_find(const struct yaml_tree *tree, uint32_t mapping, const char *key);

/* Is it a plain scalar that means "nothing": empty, ~ or null? */
bool yaml_tree_is_null(const struct yaml_tree *tree, uint32_t node);

/* Number of entries of a mapping or items of a sequence. */
size_t yaml_tree_size(const struct yaml_tree *tree, uint32_t node);

/* Where a node stands in its document, as "hsm.ca.module" or "listen.names[2]", cut to `size` bytes
 * with the NUL. Keys that are not clean text appear as "?". The path of a key is that of its value.
 */
void yaml_tree_path(const struct yaml_tree *tree, uint32_t node, char *out_path, size_t size);

/* Fills in text, place and path of `node`. Always returns YAML_INVALID, so that a check can end
 * with it. */
ERRFN yaml_tree_problem(const struct yaml_tree *tree, uint32_t node,
                        struct yaml_problem *out_problem, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
