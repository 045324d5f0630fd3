/* A policy's text on the operator's machine: read, and checked by the same code as in the appliance, so that what is wrong is shown with
 * its line before anything is sent. */
#ifndef ITL_CLI_POLICY_TEXT_H
#define ITL_CLI_POLICY_TEXT_H

#include "base/bytes.h"
#include "policy/policy.h"

/* Reads a file, or standard input for "-". Says on standard error what is wrong with it: "FILE:3:5: gates.config: …". out_text may be
 * NULL. Errors: CONFIG_UNREADABLE, TOO_LONG, POLICY_INVALID. */
ERRFN policy_text_read(const char *path, struct policy **out_policy, struct buf **out_text);

#endif
