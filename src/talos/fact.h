/* What facts about a machine must look like before they are written into a configuration. */
#ifndef ITL_TALOS_FACT_H
#define ITL_TALOS_FACT_H

#include <stdbool.h>

/* 1 to 63 characters of [A-Za-z0-9._-], starting and ending with a letter or digit (Kubernetes
 * label values). */
bool fact_is_label_value(const char *text);

/* 96 hexadecimal digits. */
bool fact_is_fingerprint(const char *text);

/* A container image reference: letters, digits and ._-/:@ up to 511 characters. */
bool fact_is_image(const char *text);

/* https:// followed by characters of a URL without quotes, backslashes and white space. */
bool fact_is_url(const char *text);

#endif
