/* What the node agent was asked to do: command line over environment (ITL_REG_URL, ITL_TCTI) over
 * defaults. */
#ifndef ITL_NODE_OPTIONS_H
#define ITL_NODE_OPTIONS_H

#include "base/err.h"
#include "node/tpm_templates.h"

#define OPTIONS_DEFAULT_TCTI      "device:/dev/tpmrm0"
#define OPTIONS_DEFAULT_EVENT_LOG "/sys/kernel/security/tpm0/binary_bios_measurements"

/* What systemd measures after the firmware; of the same boot as the kernel's log only. */
#define OPTIONS_DEFAULT_USERSPACE_LOG "/run/log/systemd/tpm2-measure.log"

enum { OPTIONS_DEFAULT_POLL_S = 60, OPTIONS_POLL_MAX_S = 3600, OPTIONS_WAIT_MAX_S = 7 * 24 * 3600 };

enum options_mode {
    OPTIONS_FOREVER = 0, /* poll until attested */
    OPTIONS_ONCE,
    OPTIONS_WAIT,    /* poll until attested or wait_s are over */
    OPTIONS_STAY,    /* attest again for ever, when policy asks for it */
    OPTIONS_RECEIPT, /* write a receipt, talk to nobody */
    OPTIONS_HELP,
    OPTIONS_VERSION
};

/* Texts live as long as argv and the environment. NULL means not given. */
struct options {
    enum options_mode mode;
    unsigned wait_s;
    unsigned poll_s;
    const char *url;
    const char *ca_file;
    const char *pin;
    const char *tcti;
    enum tpm_key ek;   /* TPM_KEY_NONE: the best there is */
    enum ak_kind ak;   /* AK_KIND_NONE: the best there is */
    const char *state; /* folder for the AK's blob */
    const char *apply;
    const char *output;
    const char *wipe;          /* command to run when the appliance orders it */
    const char *enroll_prefix; /* where the enrollment certificate goes */
    const char *receipt;
    const char *event_log;
    bool event_log_given;
    const char *userspace_log; /* NULL behind an event log that was named without it */
    const char *role;
    const char *cluster;
    const char *hw_uuid;
    const char *hw_mac;
    const char *hw_serial;
    const char *hw_product;
    bool json;
};

/* Errors: FIELD_UNKNOWN, FIELD_MISSING or FIELD_INVALID with the option's name in out_subject (""
 * when there is none). */
ERRFN options_parse(int argc, char **argv, struct options *out_options, const char **out_subject);

const char *options_usage(void);

#endif
