/* itl-signer: holds the CA token and the database, decides everything. See SECURITY.md for what it may and may not do. */
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "sandbox/sandbox.h"
#include "signer/record.h"
#include "signer/serve.h"
#include "signer/start.h"

#include <stdlib.h>

int main(void)
{
    static struct signer s;
    const char *subject = "start";
    err_t limited = sandbox_limits(SANDBOX_SIGNER);
    if (!IS_OK(limited) || !IS_OK(process_begin("signer", &s.process))) {
        process_exit(EXIT_FAILURE);
    }
    err_t started = signer_start(&s, &subject);
    if (!IS_OK(started)) {
        process_fail(s.process, started, subject);
    }
    err_t served = serve(&s);
    process_exit(IS_OK(served) ? EXIT_SUCCESS : EXIT_FAILURE);
}
