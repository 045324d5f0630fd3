/* A profile's table as a seccomp filter. */
#ifndef ITL_SANDBOX_FILTER_H
#define ITL_SANDBOX_FILTER_H

#include <seccomp.h>

#include "base/own.h"
#include "sandbox/sandbox.h"

AUTO_DEFINE(filter, void, seccomp_release);

/* The filter, not yet loaded; release with seccomp_release or AUTO(filter). Made for the calling
 * process: rules may name its id. Errors: SANDBOX_SECCOMP, SANDBOX for SANDBOX_NONE. */
ERRFN filter_build(enum sandbox_profile profile, bool softhsm, scmp_filter_ctx *out_filter);

/* Builds it and loads it into all threads of the process. Errors: those of filter_build,
 * SANDBOX_SECCOMP. */
ERRFN filter_load(enum sandbox_profile profile, bool softhsm);

#endif
