#include "keyholder/certificate_verify.h"

#include <string.h>

/* With its NUL, which is the zero byte that follows. */
static const char context_string[] = "TLS 1.3, server CertificateVerify";

enum { PADDING_BYTES = 64 };

_Static_assert(sizeof context_string == 34, "RFC 8446 section 4.4.3");

ERRFN certificate_verify_check(struct view content)
{
    ENSURE(content.len == CERTIFICATE_VERIFY_BYTES, TLS_CONTENT);
    for (size_t i = 0; i < PADDING_BYTES; i++) {
        ENSURE(content.data[i] == ' ', TLS_CONTENT);
    }
    ENSURE(memcmp(content.data + PADDING_BYTES, context_string, sizeof context_string) == 0,
           TLS_CONTENT);
    return OK;
}
