/* A stream of YAML documents being changed, as text and as the tree that this text reads as. */
#ifndef ITL_TALOS_DRAFT_H
#define ITL_TALOS_DRAFT_H

#include "talos/fragment.h"

struct draft {
    struct buf *text;
    struct yaml_tree *tree;
};

/* One change: bytes [start, end) become `text`. Read again, the nodes [node, node + removed) must
 * have become `added`, and all others must be what they were. */
struct draft_change {
    size_t start;
    size_t end;
    struct view text;
    uint32_t node;
    uint32_t removed;
    uint32_t depth; /* of the first added node */
    const struct fragment_nodes *added;
};

/* Errors: BASE_CONFIG_INVALID when it is not YAML or beyond a limit of machine_config.h; NO_MEMORY.
 */
ERRFN draft_open(struct view text, struct draft **out_draft);

/* Errors: BASE_CONFIG_INVALID when the changed text does not read as it must; the draft is then as
 * it was. */
ERRFN draft_change(struct draft *draft, const struct draft_change *change);

void draft_free(struct draft *draft);
AUTO_DEFINE(draft, struct draft, draft_free);

#endif
