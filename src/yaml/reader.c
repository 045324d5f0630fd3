/* The one file that knows libyaml. Turns its events into nodes. */
#include "yaml/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    DEPTH_LIMIT = 64,           /* no caller asks for more */
    MAPPING_ENTRIES_MAX = 1024, /* looking for repeated keys is quadratic */
    NODES_FIRST = 256,
    NODES_MAX = 64 * 1024 /* 6 MiB; the largest real machine configuration has 2,000 */
};

struct reader {
    yaml_parser_t parser;
    const struct yaml_limits *limits;
    struct yaml_problem *problem;
    struct yaml_tree *tree;
    struct view input;
    size_t *offsets; /* byte offset of each character; NULL when the text is ASCII */
    size_t characters;
    uint32_t capacity;
    uint32_t open[DEPTH_LIMIT]; /* collections not closed yet */
    uint32_t depth;
    bool finished;
};

static ERRFN fail_at(struct reader *r, yaml_mark_t mark, const char *text)
{
    struct yaml_problem *p = r->problem;
    memset(p, 0, sizeof *p);
    snprintf(p->text, sizeof p->text, "%s", text);
    p->line = (unsigned)mark.line + 1;
    p->column = (unsigned)mark.column + 1;
    return E(YAML_INVALID);
}

static ERRFN fail_of_parser(struct reader *r)
{
    ENSURE(r->parser.error != YAML_MEMORY_ERROR, NO_MEMORY);
    char text[160];
    snprintf(text, sizeof text, "not valid YAML: %s",
             r->parser.problem ? r->parser.problem : "unreadable");
    if (r->parser.error == YAML_READER_ERROR) {
        return fail_at(r, r->parser.mark,
                       "not valid YAML: the text is not UTF-8 or has control characters");
    }
    return fail_at(r, r->parser.problem_mark, text);
}

/* libyaml counts characters; everyone else needs bytes. */
static ERRFN index_characters(struct reader *r)
{
    size_t characters = 0;
    for (size_t i = 0; i < r->input.len; i++) {
        characters += (r->input.data[i] & 0xC0) != 0x80;
    }
    r->characters = characters;
    if (characters == r->input.len) {
        return OK;
    }
    r->offsets = calloc(characters + 1, sizeof *r->offsets);
    ENSURE(r->offsets, NO_MEMORY);
    size_t at = 0;
    for (size_t i = 0; i < r->input.len; i++) {
        if ((r->input.data[i] & 0xC0) != 0x80) {
            r->offsets[at++] = i;
        }
    }
    r->offsets[characters] = r->input.len;
    return OK;
}

static size_t byte_offset(const struct reader *r, yaml_mark_t mark)
{
    size_t character = mark.index < r->characters ? mark.index : r->characters;
    return r->offsets ? r->offsets[character] : character;
}

static struct yaml_node *node_at(struct reader *r, uint32_t index)
{
    return &r->tree->nodes[index];
}

/* The storage was reserved whole, so it never moves under the views. */
static ERRFN keep_text(struct reader *r, struct yaml_node *node, const void *text, size_t len)
{
    struct buf *storage = r->tree->text;
    size_t at = storage->len;
    TRY(buf_put(storage, view_of(text, len)));
    node->text = view_of(storage->data + at, len);
    return OK;
}

static ERRFN grow_nodes(struct reader *r)
{
    if (r->tree->count < r->capacity) {
        return OK;
    }
    uint32_t capacity = r->capacity ? r->capacity * 2 : NODES_FIRST;
    struct yaml_node *nodes = reallocarray(r->tree->nodes, capacity, sizeof *nodes);
    ENSURE(nodes, NO_MEMORY);
    r->tree->nodes = nodes;
    r->capacity = capacity;
    return OK;
}

static ERRFN add_node(struct reader *r, const yaml_event_t *event, enum yaml_kind kind,
                      uint32_t *out_index)
{
    if (r->depth >= r->limits->depth_max) {
        return fail_at(r, event->start_mark, "nested too deeply");
    }
    if (r->tree->count >= NODES_MAX) {
        return fail_at(r, event->start_mark, "too many values");
    }
    TRY(grow_nodes(r));
    uint32_t index = r->tree->count;
    struct yaml_node *node = node_at(r, index);
    *node = (struct yaml_node){
        .kind = kind,
        .parent = r->depth > 0 ? r->open[r->depth - 1] : YAML_NODE_NONE,
        .next = index + 1,
        .depth = r->depth + 1,
        .start = byte_offset(r, event->start_mark),
        .end = byte_offset(r, event->end_mark),
        .line = (unsigned)event->start_mark.line + 1,
        .column = (unsigned)event->start_mark.column + 1,
    };
    r->tree->count++;
    *out_index = index;
    return OK;
}

/* Called when a node begins: is it a key, and if so, a good one? */
static ERRFN check_key(struct reader *r, uint32_t index, const yaml_event_t *event)
{
    if (r->depth == 0 || node_at(r, r->open[r->depth - 1])->kind != YAML_KIND_MAPPING) {
        return OK;
    }
    size_t entries = 0;
    uint32_t key = r->open[r->depth - 1] + 1;
    while (key < index) {
        if (key + 1 == index) {
            return OK; /* this node is that key's value */
        }
        if (view_equal(node_at(r, key)->text, node_at(r, index)->text)) {
            return fail_at(r, event->start_mark, "this key stands twice in the same mapping");
        }
        key = node_at(r, key + 1)->next;
        entries++;
    }
    if (node_at(r, index)->kind != YAML_KIND_SCALAR) {
        return fail_at(r, event->start_mark, "a key must be a single word");
    }
    if (entries >= MAPPING_ENTRIES_MAX) {
        return fail_at(r, event->start_mark, "a mapping has too many entries");
    }
    return OK;
}

static ERRFN refuse_decoration(struct reader *r, uint32_t index, const yaml_event_t *event,
                               bool decorated)
{
    node_at(r, index)->decorated = decorated;
    if (decorated && !r->limits->references) {
        return fail_at(r, event->start_mark, "anchors and tags are not accepted here");
    }
    return OK;
}

static enum yaml_style scalar_style(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return YAML_STYLE_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        return YAML_STYLE_TEXT;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
        break;
    }
    return YAML_STYLE_PLAIN;
}

static ERRFN on_scalar(struct reader *r, const yaml_event_t *event)
{
    uint32_t index = 0;
    TRY(add_node(r, event, YAML_KIND_SCALAR, &index));
    TRY(keep_text(r, node_at(r, index), event->data.scalar.value, event->data.scalar.length));
    node_at(r, index)->style = scalar_style(event->data.scalar.style);
    bool decorated = event->data.scalar.anchor || event->data.scalar.tag;
    TRY(refuse_decoration(r, index, event, decorated));
    return check_key(r, index, event);
}

static ERRFN on_alias(struct reader *r, const yaml_event_t *event)
{
    if (!r->limits->references) {
        return fail_at(r, event->start_mark, "aliases are not accepted here");
    }
    uint32_t index = 0;
    TRY(add_node(r, event, YAML_KIND_ALIAS, &index));
    const char *name = (const char *)event->data.alias.anchor;
    TRY(keep_text(r, node_at(r, index), name, strlen(name)));
    return check_key(r, index, event);
}

static ERRFN on_open(struct reader *r, const yaml_event_t *event)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    bool flow = mapping ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                        : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    bool decorated = mapping ? event->data.mapping_start.anchor || event->data.mapping_start.tag
                             : event->data.sequence_start.anchor || event->data.sequence_start.tag;
    uint32_t index = 0;
    TRY(add_node(r, event, mapping ? YAML_KIND_MAPPING : YAML_KIND_SEQUENCE, &index));
    node_at(r, index)->style = flow ? YAML_STYLE_FLOW : YAML_STYLE_BLOCK;
    TRY(refuse_decoration(r, index, event, decorated));
    TRY(check_key(r, index, event));
    r->open[r->depth++] = index;
    return OK;
}

/* A block collection has no closing mark: it ends where its last node does. */
static void on_close(struct reader *r, const yaml_event_t *event)
{
    uint32_t index = r->open[--r->depth];
    struct yaml_node *node = node_at(r, index);
    node->next = r->tree->count;
    if (node->style == YAML_STYLE_FLOW) {
        node->end = byte_offset(r, event->end_mark);
        return;
    }
    for (uint32_t i = index + 1; i < node->next; i++) {
        node->end = node_at(r, i)->end > node->end ? node_at(r, i)->end : node->end;
    }
}

static ERRFN on_document(struct reader *r, const yaml_event_t *event)
{
    if (r->tree->documents >= r->limits->documents_max) {
        return fail_at(r, event->start_mark,
                       r->limits->documents_max == 1 ? "only one document is accepted here"
                                                     : "too many documents");
    }
    r->tree->documents++;
    return OK;
}

static ERRFN on_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return on_alias(r, event);
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return on_open(r, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        on_close(r, event);
        return OK;
    case YAML_DOCUMENT_START_EVENT:
        return on_document(r, event);
    case YAML_STREAM_END_EVENT:
        r->finished = true;
        return OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return OK;
}

static ERRFN read_events(struct reader *r)
{
    while (!r->finished) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            return fail_of_parser(r);
        }
        err_t e = on_event(r, &event);
        yaml_event_delete(&event);
        TRY(e);
    }
    return OK;
}

static ERRFN read_stream(struct reader *r)
{
    ENSURE(yaml_parser_initialize(&r->parser), NO_MEMORY);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    /* libyaml aborts on NULL, which an empty view has. */
    const uint8_t *data = r->input.data ? r->input.data : (const uint8_t *)"";
    yaml_parser_set_input_string(&r->parser, data, r->input.len);
    err_t e = index_characters(r);
    if (IS_OK(e)) {
        e = read_events(r);
    }
    yaml_parser_delete(&r->parser);
    free(r->offsets);
    return e;
}

/* Decoding can make text longer, by half at most: the two bytes \L stand for a character of three.
 */
static ERRFN reserve_text(struct yaml_tree *tree, size_t input_len)
{
    size_t size = input_len * 2 + 1;
    uint8_t *reserved = NULL;
    TRY(buf_new(size, &tree->text));
    TRY(buf_extend(tree->text, size, &reserved));
    buf_truncate(tree->text, 0);
    return OK;
}

ERRFN yaml_tree_read(struct view text, const struct yaml_limits *limits,
                     struct yaml_tree **out_tree, struct yaml_problem *out_problem)
{
    memset(out_problem, 0, sizeof *out_problem);
    ENSURE(limits->depth_max <= DEPTH_LIMIT, BUG);
    if (text.len > limits->bytes_max) {
        snprintf(out_problem->text, sizeof out_problem->text, "longer than %zu bytes",
                 limits->bytes_max);
        return E(YAML_INVALID);
    }
    AUTO(yaml_tree) tree = calloc(1, sizeof *tree);
    ENSURE(tree, NO_MEMORY);
    TRY(reserve_text(tree, text.len));
    struct reader r = {.limits = limits, .problem = out_problem, .tree = tree, .input = text};
    TRY(read_stream(&r));
    if (tree->documents == 0) {
        snprintf(out_problem->text, sizeof out_problem->text, "the document is empty");
        return E(YAML_INVALID);
    }
    *out_tree = STEAL(tree);
    return OK;
}
