/* Finding machines. */
#ifndef ITL_CLI_MACHINE_LOOKUP_H
#define ITL_CLI_MACHINE_LOOKUP_H

#include "cli/session.h"

enum {
    MACHINE_ID_CHARS = 36,
    MACHINE_PREFIX_MIN_CHARS = 4,
    MACHINE_PAGE_ROWS = 200,
    MACHINE_PAGES_MAX = 5000 /* a million machines */
};

/* Every machine with this status and role (NULL for all), page by page. Errors: as
 * session_get_list, FIELD_INVALID for a filter that is not a word. */
ERRFN machine_lookup_all(struct session *session, const char *status, const char *role,
                         json_t **out_list);

/* The machine with this id, or the only one whose id begins so. Errors: as above, FIELD_INVALID for
 * what can't be an id, MACHINE_UNKNOWN, MACHINE_AMBIGUOUS. */
ERRFN machine_lookup(struct session *session, const char *id_or_prefix, json_t **out_machine);

#endif
