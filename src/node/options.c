#include "node/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "https/pin.h"

enum option_id {
    OPT_URL = 256, OPT_CA, OPT_PIN, OPT_TCTI, OPT_ONCE, OPT_WAIT, OPT_POLL, OPT_EK, OPT_AK, OPT_STATE, OPT_APPLY,
    OPT_OUTPUT, OPT_RECEIPT, OPT_EVENT_LOG, OPT_ROLE, OPT_CLUSTER, OPT_HW_UUID, OPT_HW_MAC, OPT_HW_SERIAL,
    OPT_HW_PRODUCT, OPT_JSON, OPT_HELP, OPT_VERSION
};

static const struct option long_options[] = {
    {"url", required_argument, NULL, OPT_URL},
    {"ca", required_argument, NULL, OPT_CA},
    {"pin", required_argument, NULL, OPT_PIN},
    {"tcti", required_argument, NULL, OPT_TCTI},
    {"once", no_argument, NULL, OPT_ONCE},
    {"wait", required_argument, NULL, OPT_WAIT},
    {"poll", required_argument, NULL, OPT_POLL},
    {"ek", required_argument, NULL, OPT_EK},
    {"ak", required_argument, NULL, OPT_AK},
    {"state", required_argument, NULL, OPT_STATE},
    {"apply", required_argument, NULL, OPT_APPLY},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"receipt", required_argument, NULL, OPT_RECEIPT},
    {"event-log", required_argument, NULL, OPT_EVENT_LOG},
    {"role", required_argument, NULL, OPT_ROLE},
    {"cluster", required_argument, NULL, OPT_CLUSTER},
    {"hw-uuid", required_argument, NULL, OPT_HW_UUID},
    {"hw-mac", required_argument, NULL, OPT_HW_MAC},
    {"hw-serial", required_argument, NULL, OPT_HW_SERIAL},
    {"hw-product", required_argument, NULL, OPT_HW_PRODUCT},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0}};

const char *options_usage(void)
{
    return "Usage: itl-tpm-register --url https://HOST[:PORT] (--ca FILE | --pin PIN) [options]\n"
           "\n"
           "Proves with this machine's TPM 2.0 what it is and how it booted, and fetches its configuration.\n"
           "\n"
           "  --url URL           the appliance (or ITL_REG_URL)\n"
           "  --ca FILE           PEM file with the appliance's CA, or its own self-signed certificate\n"
           "  --pin PIN           the appliance's identity: sha256//BASE64 of its key, or SHA-256 of its certificate in hex\n"
           "  --tcti TCTI         the TPM (or ITL_TCTI; default device:/dev/tpmrm0)\n"
           "  --once              one attempt; the exit status tells how it went\n"
           "  --wait SECONDS      keep trying for so long (default: for ever)\n"
           "  --poll SECONDS      pause between attempts (default 60)\n"
           "  --ek auto|p384|p256|rsa2048    endorsement key to show (default auto)\n"
           "  --ak auto|p384|p256|rsa2048    attestation key to sign with (default auto)\n"
           "  --state DIR         keep the attestation key's wrapped blob here\n"
           "  --apply CMD         run CMD with the configuration on standard input; {} in CMD stands for a file name of it\n"
           "  --output FILE       write the configuration to FILE (mode 0600), or - for standard output\n"
           "  --receipt FILE      write an offline receipt to FILE, or - , and stop\n"
           "  --event-log FILE    firmware event log (default: the kernel's)\n"
           "  --role ROLE, --cluster ID      what to ask for\n"
           "  --hw-uuid, --hw-mac, --hw-serial, --hw-product TEXT    instead of what the firmware says\n"
           "  --json              progress as one JSON object a line\n"
           "\n"
           "Exit status: 0 attested and applied, 10 waiting for approval, 11 locked, 12 revoked, 13 refused, 2 usage, 1 other failure.\n";
}

static ERRFN parse_seconds(const char *text, unsigned max, unsigned *out_seconds)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    ENSURE(text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && value <= max, FIELD_INVALID);
    *out_seconds = (unsigned)value;
    return OK;
}

static ERRFN parse_ek(const char *text, enum tpm_key *out_key)
{
    static const struct { const char *name; enum tpm_key key; } names[] = {
        {"auto", TPM_KEY_NONE}, {"p384", TPM_KEY_P384}, {"p256", TPM_KEY_P256}, {"rsa2048", TPM_KEY_RSA_2048}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i].name) == 0) {
            *out_key = names[i].key;
            return OK;
        }
    }
    return E(FIELD_INVALID);
}

static ERRFN parse_ak(const char *text, enum ak_kind *out_kind)
{
    static const struct { const char *name; enum ak_kind kind; } names[] = {
        {"auto", AK_KIND_NONE}, {"p384", AK_KIND_P384}, {"p256", AK_KIND_P256}, {"rsa2048", AK_KIND_RSA_2048}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i].name) == 0) {
            *out_kind = names[i].kind;
            return OK;
        }
    }
    return E(FIELD_INVALID);
}

static ERRFN take_option(enum option_id id, struct options *o)
{
    switch (id) {
    case OPT_URL:
        o->url = optarg;
        return OK;
    case OPT_CA:
        o->ca_file = optarg;
        return OK;
    case OPT_PIN:
        o->pin = optarg;
        return pin_parse(optarg, &(struct pin){0});
    case OPT_TCTI:
        o->tcti = optarg;
        return OK;
    case OPT_ONCE:
        o->mode = OPTIONS_ONCE;
        return OK;
    case OPT_WAIT:
        o->mode = OPTIONS_WAIT;
        return parse_seconds(optarg, OPTIONS_WAIT_MAX_S, &o->wait_s);
    case OPT_POLL:
        return parse_seconds(optarg, OPTIONS_POLL_MAX_S, &o->poll_s);
    case OPT_EK:
        return parse_ek(optarg, &o->ek);
    case OPT_AK:
        return parse_ak(optarg, &o->ak);
    case OPT_STATE:
        o->state = optarg;
        return OK;
    case OPT_APPLY:
        o->apply = optarg;
        return OK;
    case OPT_OUTPUT:
        o->output = optarg;
        return OK;
    case OPT_RECEIPT:
        o->receipt = optarg;
        o->mode = OPTIONS_RECEIPT;
        return OK;
    case OPT_EVENT_LOG:
        o->event_log = optarg;
        o->event_log_given = true;
        return OK;
    case OPT_ROLE:
        o->role = optarg;
        return OK;
    case OPT_CLUSTER:
        o->cluster = optarg;
        return OK;
    case OPT_HW_UUID:
        o->hw_uuid = optarg;
        return OK;
    case OPT_HW_MAC:
        o->hw_mac = optarg;
        return OK;
    case OPT_HW_SERIAL:
        o->hw_serial = optarg;
        return OK;
    case OPT_HW_PRODUCT:
        o->hw_product = optarg;
        return OK;
    case OPT_JSON:
        o->json = true;
        return OK;
    case OPT_HELP:
        o->mode = OPTIONS_HELP;
        return OK;
    case OPT_VERSION:
        o->mode = OPTIONS_VERSION;
        return OK;
    }
    return E(FIELD_UNKNOWN);
}

static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && value[0] ? value : otherwise;
}

static ERRFN check_whole(const struct options *o, const char **out_subject)
{
    bool talks = o->mode == OPTIONS_FOREVER || o->mode == OPTIONS_ONCE || o->mode == OPTIONS_WAIT;
    *out_subject = "--url";
    ENSURE(!talks || o->url, FIELD_MISSING);
    *out_subject = "--ca or --pin";
    ENSURE(!talks || o->ca_file || o->pin, FIELD_MISSING);
    *out_subject = "--apply and --output";
    ENSURE(!(o->apply && o->output), FIELD_INVALID);
    *out_subject = "";
    return OK;
}

ERRFN options_parse(int argc, char **argv, struct options *out_options, const char **out_subject)
{
    struct options o = {.poll_s = OPTIONS_DEFAULT_POLL_S,
                        .url = environment("ITL_REG_URL", NULL),
                        .tcti = environment("ITL_TCTI", OPTIONS_DEFAULT_TCTI),
                        .event_log = OPTIONS_DEFAULT_EVENT_LOG};
    optind = 0; /* start over, also after another parse */
    opterr = 0;
    int index = 0;
    int id;
    *out_subject = "";
    while ((id = getopt_long(argc, argv, "+:", long_options, &index)) != -1) {
        if (id == '?' || id == ':') {
            *out_subject = argv[optind - 1];
            return id == '?' ? E(FIELD_UNKNOWN) : E(FIELD_MISSING);
        }
        *out_subject = long_options[index].name;
        TRY(take_option((enum option_id)id, &o));
    }
    *out_subject = optind < argc ? argv[optind] : "";
    ENSURE(optind == argc, FIELD_UNKNOWN);
    TRY(check_whole(&o, out_subject));
    *out_options = o;
    return OK;
}
