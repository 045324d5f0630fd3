/* Changes to a draft: as small as possible in the text, in the style of their surroundings. All
 * return BASE_CONFIG_INVALID when the document has something else in that place than a machine
 * configuration would, or is laid out in a way they can't handle. */
#ifndef ITL_TALOS_EDIT_H
#define ITL_TALOS_EDIT_H

#include "talos/draft.h"

/* What the fragment says, below the mapping `root`: as far as its keys exist, what they lead to is
 * kept; a scalar at the end is replaced, as is null or an empty collection on the way. */
ERRFN edit_set(struct draft *draft, uint32_t root, const struct fragment *fragment);

/* One more text at the end of a list that has items, unless it has this one. */
ERRFN edit_append(struct draft *draft, uint32_t list, const char *text);

/* Takes a key and its scalar out of a mapping; nothing happens when there is no such key. */
ERRFN edit_remove(struct draft *draft, uint32_t mapping, const char *key);

/* Replaces a key and its scalar. */
ERRFN edit_replace(struct draft *draft, uint32_t mapping, const char *key,
                   const struct fragment *by);

#endif
