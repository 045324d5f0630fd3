/* The table of settings: for each its path in the file, its type and limits, and where it is kept.
 */
#ifndef ITL_CONFIG_SETTINGS_H
#define ITL_CONFIG_SETTINGS_H

#include "config/config.h"

enum setting_kind {
    SETTING_NONE = 0,
    SETTING_BOOL,
    SETTING_NUMBER,    /* uint32_t from min to max */
    SETTING_TEXT,      /* char[size] */
    SETTING_CHOICE,    /* an enum whose values after zero are the choices in order */
    SETTING_TEXTS,     /* list of min to max different char[size] */
    SETTING_VARIABLES, /* struct config_variable[] */
    SETTING_SELECTION  /* struct config_pcr_bank[] */
};

struct setting {
    const char *path;
    enum setting_kind kind;
    size_t offset;       /* of the value in struct config */
    size_t count_offset; /* of the number of items, for lists */
    size_t size;
    uint32_t min;
    uint32_t max;
    bool (*is_shaped)(const char *text);
    const char *expected;       /* completes "expected …" when is_shaped refuses */
    const char *const *choices; /* ended by NULL */
};

extern const struct setting config_settings[];
extern const size_t config_settings_count;

/* NULL when there is no such setting. */
const struct setting *config_setting_find(const char *path);

/* Do settings start with this path and a dot? */
bool config_setting_is_section(const char *path);

#endif
