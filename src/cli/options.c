#include "cli/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct option long_options[] = {
    {"api-url", required_argument, NULL, OPTION_API_URL},
    {"ca", required_argument, NULL, OPTION_CA},
    {"pin", required_argument, NULL, OPTION_PIN},
    {"credential", required_argument, NULL, OPTION_CREDENTIAL},
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"status", required_argument, NULL, OPTION_STATUS},
    {"role", required_argument, NULL, OPTION_ROLE},
    {"hostname", required_argument, NULL, OPTION_HOSTNAME},
    {"assigned-ip", required_argument, NULL, OPTION_ASSIGNED_IP},
    {"cluster", required_argument, NULL, OPTION_CLUSTER},
    {"ek-fingerprint", required_argument, NULL, OPTION_EK_FINGERPRINT},
    {"accept-unverified-ek", no_argument, NULL, OPTION_ACCEPT_UNVERIFIED_EK},
    {"yes", no_argument, NULL, OPTION_YES},
    {"json", no_argument, NULL, OPTION_JSON},
    {"ca-dir", required_argument, NULL, OPTION_CA_DIR},
    {"at", required_argument, NULL, OPTION_AT},
    {"quote", required_argument, NULL, OPTION_QUOTE},
    {"signature", required_argument, NULL, OPTION_SIGNATURE},
    {"ak", required_argument, NULL, OPTION_AK},
    {"nonce", required_argument, NULL, OPTION_NONCE},
    {"eventlog", required_argument, NULL, OPTION_EVENTLOG},
    {"comment", required_argument, NULL, OPTION_COMMENT},
    {"reason", required_argument, NULL, OPTION_REASON},
    {"wipe", no_argument, NULL, OPTION_WIPE},
    {"machine", required_argument, NULL, OPTION_MACHINE},
    {"pcrs", required_argument, NULL, OPTION_PCRS},
    {"name", required_argument, NULL, OPTION_NAME},
    {"pcr", required_argument, NULL, OPTION_PCR},
    {"claim", required_argument, NULL, OPTION_CLAIM},
    {"userspace-log", required_argument, NULL, (int)OPTION_USERSPACE_LOG},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0}};

static ERRFN parse_output(const char *text, enum output_format *out_format)
{
    bool json = strcmp(text, "json") == 0;
    ENSURE(json || strcmp(text, "table") == 0, FIELD_INVALID);
    *out_format = json ? OUTPUT_JSON : OUTPUT_TABLE;
    return OK;
}

static ERRFN add_value(const char **values, int *count, int most, const char *value)
{
    ENSURE(*count < most, TOO_LONG);
    values[(*count)++] = value;
    return OK;
}

/* Where the options that are only a text go. */
static const struct {
    unsigned bit;
    size_t field;
} text_options[] = {
    {OPTION_API_URL, offsetof(struct options, api_url)},
    {OPTION_CA, offsetof(struct options, ca_file)},
    {OPTION_PIN, offsetof(struct options, pin)},
    {OPTION_CREDENTIAL, offsetof(struct options, credential)},
    {OPTION_STATUS, offsetof(struct options, status)},
    {OPTION_ROLE, offsetof(struct options, role)},
    {OPTION_HOSTNAME, offsetof(struct options, hostname)},
    {OPTION_ASSIGNED_IP, offsetof(struct options, assigned_ip)},
    {OPTION_CLUSTER, offsetof(struct options, cluster)},
    {OPTION_EK_FINGERPRINT, offsetof(struct options, ek_fingerprint)},
    {OPTION_AT, offsetof(struct options, at)},
    {OPTION_QUOTE, offsetof(struct options, quote)},
    {OPTION_SIGNATURE, offsetof(struct options, signature)},
    {OPTION_AK, offsetof(struct options, ak)},
    {OPTION_NONCE, offsetof(struct options, nonce)},
    {OPTION_EVENTLOG, offsetof(struct options, eventlog)},
    {OPTION_USERSPACE_LOG, offsetof(struct options, userspace_log)},
    {OPTION_COMMENT, offsetof(struct options, comment)},
    {OPTION_REASON, offsetof(struct options, reason)},
    {OPTION_MACHINE, offsetof(struct options, machine)},
    {OPTION_NAME, offsetof(struct options, name)},
    {OPTION_PCRS, offsetof(struct options, pcrs)},
};

static bool take_text(unsigned bit, struct options *o)
{
    const char *text = optarg;
    for (size_t i = 0; i < sizeof text_options / sizeof text_options[0]; i++) {
        if (text_options[i].bit == bit) {
            memcpy((char *)o + text_options[i].field, &text, sizeof text);
            return true;
        }
    }
    return false;
}

static ERRFN take_option(unsigned bit, struct options *o)
{
    if (take_text(bit, o)) {
        return OK;
    }
    switch (bit) {
    case OPTION_OUTPUT:
        return parse_output(optarg, &o->output);
    case OPTION_JSON:
        o->output = OUTPUT_JSON;
        return OK;
    case OPTION_CA_DIR:
        return add_value(o->ca_dirs, &o->ca_dirs_count, OPTIONS_CA_DIRS_MAX, optarg);
    case OPTION_PCR:
        return add_value(o->pcr, &o->pcr_count, OPTIONS_VALUES_MAX, optarg);
    case OPTION_CLAIM:
        return add_value(o->claim, &o->claim_count, OPTIONS_VALUES_MAX, optarg);
    case OPTION_ACCEPT_UNVERIFIED_EK:
    case OPTION_WIPE:
    case OPTION_YES:
    case OPTION_HELP:
    case OPTION_VERSION:
        return OK; /* being given is all they say */
    }
    return E(FIELD_UNKNOWN);
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

static ERRFN take_arguments(int argc, char **argv, struct options *o, const char **out_subject)
{
    for (int i = optind; i < argc; i++) {
        *out_subject = argv[i];
        ENSURE(o->arguments_count < OPTIONS_ARGUMENTS_MAX, FIELD_UNKNOWN);
        o->arguments[o->arguments_count++] = argv[i];
    }
    *out_subject = "";
    return OK;
}

ERRFN options_parse(int argc, char **argv, struct options *out_options, const char **out_subject)
{
    struct options o = {.api_url = environment("ATTESTATION_API_URL"),
                        .ca_file = environment("ATTESTATION_CA"),
                        .pin = environment("ATTESTATION_PIN"),
                        .credential = environment("ATTESTATION_CREDENTIAL")};
    optind = 0; /* start over, also after another parse */
    opterr = 0;
    int id;
    *out_subject = "";
    while ((id = getopt_long(argc, argv, ":o:h", long_options, NULL)) != -1) {
        *out_subject = optind > 0 && optind <= argc ? argv[optind - 1] : "";
        ENSURE(id != '?', FIELD_UNKNOWN);
        ENSURE(id != ':', FIELD_MISSING);
        unsigned bit = id == 'o' ? OPTION_OUTPUT : id == 'h' ? OPTION_HELP : (unsigned)id;
        TRY(take_option(bit, &o));
        o.given |= bit;
    }
    TRY(take_arguments(argc, argv, &o, out_subject));
    *out_options = o;
    return OK;
}

const char *options_name(unsigned bits)
{
    for (const struct option *o = long_options; o->name; o++) {
        if (bits & (unsigned)o->val) {
            return o->name;
        }
    }
    return "";
}
