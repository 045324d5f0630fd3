#include "node/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "https/pin.h"

enum option_id {
    OPT_PIN = 256,
    OPT_ONCE,
    OPT_WAIT,
    OPT_STAY,
    OPT_POLL,
    OPT_EK,
    OPT_AK,
    OPT_RECEIPT,
    OPT_EVENT_LOG,
    OPT_JSON,
    OPT_HELP,
    OPT_VERSION,
    OPT_TEXT /* and above: kept as it is, at text_fields[id - OPT_TEXT] */
};

/* Where the options that are only a text go. */
static const size_t text_fields[] = {
    offsetof(struct options, url),           offsetof(struct options, ca_file),
    offsetof(struct options, tcti),          offsetof(struct options, state),
    offsetof(struct options, apply),         offsetof(struct options, output),
    offsetof(struct options, role),          offsetof(struct options, cluster),
    offsetof(struct options, hw_uuid),       offsetof(struct options, hw_mac),
    offsetof(struct options, hw_serial),     offsetof(struct options, hw_product),
    offsetof(struct options, enroll_prefix), offsetof(struct options, wipe),
    offsetof(struct options, userspace_log),
};

static const struct option long_options[] = {
    {"url", required_argument, NULL, OPT_TEXT},
    {"ca", required_argument, NULL, OPT_TEXT + 1},
    {"tcti", required_argument, NULL, OPT_TEXT + 2},
    {"state", required_argument, NULL, OPT_TEXT + 3},
    {"apply", required_argument, NULL, OPT_TEXT + 4},
    {"output", required_argument, NULL, OPT_TEXT + 5},
    {"role", required_argument, NULL, OPT_TEXT + 6},
    {"cluster", required_argument, NULL, OPT_TEXT + 7},
    {"hw-uuid", required_argument, NULL, OPT_TEXT + 8},
    {"hw-mac", required_argument, NULL, OPT_TEXT + 9},
    {"hw-serial", required_argument, NULL, OPT_TEXT + 10},
    {"hw-product", required_argument, NULL, OPT_TEXT + 11},
    {"enroll-cert", required_argument, NULL, OPT_TEXT + 12},
    {"wipe", required_argument, NULL, OPT_TEXT + 13},
    {"userspace-log", required_argument, NULL, OPT_TEXT + 14},
    {"pin", required_argument, NULL, OPT_PIN},
    {"once", no_argument, NULL, OPT_ONCE},
    {"wait", required_argument, NULL, OPT_WAIT},
    {"stay", no_argument, NULL, OPT_STAY},
    {"poll", required_argument, NULL, OPT_POLL},
    {"ek", required_argument, NULL, OPT_EK},
    {"ak", required_argument, NULL, OPT_AK},
    {"receipt", required_argument, NULL, OPT_RECEIPT},
    {"event-log", required_argument, NULL, OPT_EVENT_LOG},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0}};

static ERRFN parse_seconds(const char *text, unsigned max, unsigned *out_seconds)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    ENSURE(text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && value <= max,
           FIELD_INVALID);
    *out_seconds = (unsigned)value;
    return OK;
}

static ERRFN parse_ek(const char *text, enum tpm_key *out_key)
{
    static const struct {
        const char *name;
        enum tpm_key key;
    } names[] = {{"auto", TPM_KEY_NONE},       {"p384", TPM_KEY_P384},
                 {"p256", TPM_KEY_P256},       {"rsa2048", TPM_KEY_RSA_2048},
                 {"p521", TPM_KEY_P521},       {"rsa3072", TPM_KEY_RSA_3072},
                 {"rsa4096", TPM_KEY_RSA_4096}};
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
    static const struct {
        const char *name;
        enum ak_kind kind;
    } names[] = {{"auto", AK_KIND_NONE},
                 {"p384", AK_KIND_P384},
                 {"p256", AK_KIND_P256},
                 {"rsa2048", AK_KIND_RSA_2048}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i].name) == 0) {
            *out_kind = names[i].kind;
            return OK;
        }
    }
    return E(FIELD_INVALID);
}

static void take_text(int id, struct options *o)
{
    const char *text = optarg;
    memcpy((char *)o + text_fields[id - OPT_TEXT], &text, sizeof text);
}

static ERRFN take_option(int id, struct options *o)
{
    if (id >= OPT_TEXT) {
        take_text(id, o);
        return OK;
    }
    switch ((enum option_id)id) {
    case OPT_PIN:
        o->pin = optarg;
        return pin_parse(optarg, &(struct pin){0});
    case OPT_ONCE:
        o->mode = OPTIONS_ONCE;
        return OK;
    case OPT_WAIT:
        o->mode = OPTIONS_WAIT;
        return parse_seconds(optarg, OPTIONS_WAIT_MAX_S, &o->wait_s);
    case OPT_STAY:
        o->mode = OPTIONS_STAY;
        return OK;
    case OPT_POLL:
        return parse_seconds(optarg, OPTIONS_POLL_MAX_S, &o->poll_s);
    case OPT_EK:
        return parse_ek(optarg, &o->ek);
    case OPT_AK:
        return parse_ak(optarg, &o->ak);
    case OPT_RECEIPT:
        o->receipt = optarg;
        o->mode = OPTIONS_RECEIPT;
        return OK;
    case OPT_EVENT_LOG:
        o->event_log = optarg;
        o->event_log_given = true;
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
    case OPT_TEXT:
        break;
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
    bool talks = o->mode == OPTIONS_FOREVER || o->mode == OPTIONS_ONCE || o->mode == OPTIONS_WAIT ||
                 o->mode == OPTIONS_STAY;
    *out_subject = "--url";
    ENSURE(!talks || o->url, FIELD_MISSING);
    *out_subject = "--ca or --pin";
    ENSURE(!talks || o->ca_file || o->pin, FIELD_MISSING);
    *out_subject = "--apply and --output";
    ENSURE(!(o->apply && o->output), FIELD_INVALID);
    *out_subject = "--enroll-cert";
    size_t prefix_len = o->enroll_prefix ? strlen(o->enroll_prefix) : 1;
    ENSURE(!o->enroll_prefix || (prefix_len > 0 && o->enroll_prefix[prefix_len - 1] != '/'),
           FIELD_INVALID);
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
        TRY(take_option(id, &o));
    }
    *out_subject = optind < argc ? argv[optind] : "";
    ENSURE(optind == argc, FIELD_UNKNOWN);
    TRY(check_whole(&o, out_subject));
    if (!o.userspace_log && !o.event_log_given) {
        o.userspace_log = OPTIONS_DEFAULT_USERSPACE_LOG;
    }
    *out_options = o;
    return OK;
}
