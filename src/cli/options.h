/* The command line of `attestation`, over environment, over the credential file, over defaults. */
#ifndef ITL_CLI_OPTIONS_H
#define ITL_CLI_OPTIONS_H

#include "base/err.h"

/* One bit for each option, so that a command can say which it takes. */
enum option_bit {
    OPTION_API_URL = 1U << 0,
    OPTION_CA = 1U << 1,
    OPTION_PIN = 1U << 2,
    OPTION_CREDENTIAL = 1U << 3,
    OPTION_OUTPUT = 1U << 4,
    OPTION_STATUS = 1U << 5,
    OPTION_ROLE = 1U << 6,
    OPTION_HOSTNAME = 1U << 7,
    OPTION_ASSIGNED_IP = 1U << 8,
    OPTION_CLUSTER = 1U << 9,
    OPTION_EK_FINGERPRINT = 1U << 10,
    OPTION_ACCEPT_UNVERIFIED_EK = 1U << 11,
    OPTION_YES = 1U << 12,
    OPTION_HELP = 1U << 13,
    OPTION_VERSION = 1U << 14,
    OPTION_JSON = 1U << 15,
    OPTION_CA_DIR = 1U << 16,
    OPTION_AT = 1U << 17,
    OPTION_QUOTE = 1U << 18,
    OPTION_SIGNATURE = 1U << 19,
    OPTION_AK = 1U << 20,
    OPTION_NONCE = 1U << 21,
    OPTION_EVENTLOG = 1U << 22,
    OPTION_REASON = 1U << 23,
    OPTION_WIPE = 1U << 24,
    OPTION_MACHINE = 1U << 25,
    OPTION_COMMENT = 1U << 26,
    OPTION_PCRS = 1U << 27,
    OPTION_NAME = 1U << 28,
    OPTION_PCR = 1U << 29,
    OPTION_CLAIM = 1U << 30,
    OPTION_USERSPACE_LOG = 1U << 31
};

/* What every command takes. */
#define OPTIONS_GLOBAL                                                                           \
    (OPTION_API_URL | OPTION_CA | OPTION_PIN | OPTION_CREDENTIAL | OPTION_OUTPUT | OPTION_JSON | \
     OPTION_HELP | OPTION_VERSION)

enum output_format { OUTPUT_TABLE = 0, OUTPUT_JSON };

enum { OPTIONS_ARGUMENTS_MAX = 4, OPTIONS_CA_DIRS_MAX = 8, OPTIONS_VALUES_MAX = 32 };

/* Texts live as long as argv and the environment. NULL means not given. */
struct options {
    unsigned given; /* enum option_bit, of the command line only */
    const char *api_url;
    const char *ca_file;
    const char *pin;
    const char *credential;
    enum output_format output;
    const char *status;
    const char *role;
    const char *hostname;
    const char *assigned_ip;
    const char *cluster;
    const char *ek_fingerprint;
    const char *ca_dirs[OPTIONS_CA_DIRS_MAX];
    int ca_dirs_count;
    const char *at; /* RFC 3339 or a day */
    const char *quote;
    const char *signature;
    const char *ak;
    const char *nonce; /* hexadecimal */
    const char *eventlog;
    const char *userspace_log;
    const char *comment;
    const char *reason;
    const char *machine;
    const char *pcrs;
    const char *name;
    const char *pcr[OPTIONS_VALUES_MAX]; /* BANK:INDEX=HEX */
    int pcr_count;
    const char *claim[OPTIONS_VALUES_MAX]; /* NAME=VALUE */
    int claim_count;
    const char *arguments[OPTIONS_ARGUMENTS_MAX]; /* noun, verb and what the verb is about */
    int arguments_count;
};

/* Options may stand before, between and behind the other words. Errors: FIELD_UNKNOWN,
 * FIELD_MISSING or FIELD_INVALID with the word at fault in out_subject. */
ERRFN options_parse(int argc, char **argv, struct options *out_options, const char **out_subject);

/* "--role" for the lowest bit set; "" for 0. */
const char *options_name(unsigned bits);

#endif
