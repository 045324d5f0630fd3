/* openapi.json beside this file, as the build embeds it. */
#ifndef ITL_FRONT_OPENAPI_H
#define ITL_FRONT_OPENAPI_H

#include <stddef.h>

extern const unsigned char openapi_json[];
extern const size_t openapi_json_len;

#endif
