/* Sanitizer builds only: what AddressSanitizer meets in other people's libraries and would end the
 * process for. */
#include <dlfcn.h>
#include <stddef.h>

const char *__asan_default_suppressions(void);

/* pkcs11-provider loads modules with RTLD_DEEPBIND, with which they would miss the sanitizer's
 * malloc. This stands before the sanitizer's dlopen and drops the flag. */
void *dlopen(const char *path, int flags)
{
    void *(*next)(const char *, int) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    return next(path, flags & ~RTLD_DEEPBIND);
}

/* p11-kit 0.24.1 reads one element beyond a mechanism list while it takes entries out. */
const char *__asan_default_suppressions(void)
{
    return "interceptor_via_lib:p11-kit-client.so\n";
}
