#include "cli/command.h"

#include <string.h>

static const struct command commands[] = {
    {.noun = "machine",
     .verb = "list",
     .usage = "[--status STATUS] [--role ROLE]",
     .summary = "Show machines.",
     .options = OPTION_STATUS | OPTION_ROLE,
     .run = machine_list},
    {.noun = "machine",
     .verb = "get",
     .subject = "ID",
     .subject_count = 1,
     .usage = "",
     .summary = "Show one machine. ID may be the first characters of one, at least four.",
     .run = machine_get},
    {.noun = "machine",
     .verb = "approve",
     .subject = "ID",
     .subject_count = 1,
     .usage = "--role ROLE [--hostname NAME] [--assigned-ip CIDR] [--cluster ID]\n"
              "                  [--ek-fingerprint HEX] [--accept-unverified-ek] [--yes]",
     .summary = "Let a machine join, after showing it. Signed with your key.",
     .options = OPTION_ROLE | OPTION_HOSTNAME | OPTION_ASSIGNED_IP | OPTION_CLUSTER |
                OPTION_EK_FINGERPRINT | OPTION_ACCEPT_UNVERIFIED_EK | OPTION_YES,
     .required = OPTION_ROLE,
     .run = machine_approve},
    {.noun = "machine",
     .verb = "reject",
     .subject = "ID",
     .subject_count = 1,
     .usage = "[--reason TEXT] [--yes]",
     .summary = "Turn away a machine that waits, or was approved and never attested.",
     .options = OPTION_REASON | OPTION_YES,
     .run = machine_reject},
    {.noun = "machine",
     .verb = "lock",
     .subject = "ID",
     .subject_count = 1,
     .usage = "[--reason TEXT]",
     .summary = "Keep a machine out until it is unlocked.",
     .options = OPTION_REASON,
     .run = machine_lock},
    {.noun = "machine",
     .verb = "unlock",
     .subject = "ID",
     .subject_count = 1,
     .usage = "[--reason TEXT] [--yes]",
     .summary = "Put it back where it was. Signed with your key.",
     .options = OPTION_REASON | OPTION_YES,
     .run = machine_unlock},
    {.noun = "machine",
     .verb = "revoke",
     .subject = "ID",
     .subject_count = 1,
     .usage = "[--wipe] [--reason TEXT] [--yes]",
     .summary = "Keep a machine out for good; with --wipe it is told to wipe itself.",
     .options = OPTION_WIPE | OPTION_REASON | OPTION_YES,
     .run = machine_revoke},
    {.noun = "machine",
     .verb = "wipe-ack",
     .subject = "ID",
     .subject_count = 1,
     .usage = "[--reason TEXT] [--yes]",
     .summary = "Say that a revoked machine was wiped. Signed with your key.",
     .options = OPTION_REASON | OPTION_YES,
     .run = machine_wipe_ack},
    {.noun = "machine",
     .verb = "delete",
     .subject = "ID",
     .subject_count = 1,
     .usage = "[--yes]",
     .summary = "Forget a revoked or rejected machine; it may register again. Signed with your key.",
     .options = OPTION_YES,
     .run = machine_delete},
    {.noun = "cert",
     .verb = "list",
     .usage = "[--machine ID]",
     .summary = "Show certificates that were issued.",
     .options = OPTION_MACHINE,
     .run = certificate_list},
    {.noun = "cert",
     .verb = "revoke",
     .subject = "SERIAL",
     .subject_count = 1,
     .usage = "[--reason TEXT] [--yes]",
     .summary = "Revoke one certificate for good.",
     .options = OPTION_REASON | OPTION_YES,
     .run = certificate_revoke},
};

const struct command *command_find(const char *noun, const char *verb)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].noun, noun) == 0 && strcmp(commands[i].verb, verb) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

void command_print_usage(FILE *out)
{
    fputs("Usage: attestation [options] COMMAND\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *c = &commands[i];
        fprintf(out, "  %s %s%s%s %s\n      %s\n", c->noun, c->verb, c->subject ? " " : "",
                c->subject ? c->subject : "", c->usage, c->summary);
    }
    fputs("\nOptions (environment):\n"
          "  --api-url URL        the appliance, https://HOST[:PORT]  (ATTESTATION_API_URL)\n"
          "  --ca FILE            PEM file with its CA or its own self-signed certificate  "
          "(ATTESTATION_CA)\n"
          "  --pin PIN            its identity: sha256//BASE64 of its key, or SHA-256 of its "
          "certificate in hex  (ATTESTATION_PIN)\n"
          "  --credential FILE    what you are logged in with  (ATTESTATION_CREDENTIAL;\n"
          "                       default ~/.itl/attestation-credential.json); its api_url, "
          "ca_file and pin are defaults\n"
          "  -o, --output FORMAT  table or json; --json is short for the latter\n"
          "  --help, --version\n"
          "\nExit status: 0 done, 1 refused or failed, 2 usage, 3 not reached or another server, 4 "
          "not logged in.\n",
          out);
}
