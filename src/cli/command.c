#include "cli/command.h"

#include <string.h>

#include "cli/eventlog.h"

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
     .verb = "explain",
     .subject = "ID",
     .subject_count = 1,
     .usage = "",
     .summary = "Say why a machine passes or not, what changed in its boot, and what to do next.",
     .run = machine_explain},
    {.noun = "machine",
     .verb = "evidence",
     .subject = "ID",
     .subject_count = 1,
     .usage = "",
     .summary = "Show what a machine proved lately, the latest first.",
     .run = machine_evidence},
    {.noun = "machine",
     .verb = "export",
     .subject = "ID FOLDER",
     .subject_count = 2,
     .usage = "",
     .summary = "Write a machine's last evidence into a new folder, and say how to verify it without the appliance.",
     .run = machine_export},
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
    {.noun = "policy",
     .verb = "validate",
     .subject = "FILE",
     .subject_count = 1,
     .usage = "",
     .summary = "Read a policy and say what is wrong with it, and where. Needs no appliance.",
     .inspect = policy_validate},
    {.noun = "policy",
     .verb = "push",
     .subject = "FILE",
     .subject_count = 1,
     .usage = "[--comment TEXT]",
     .summary = "Keep a policy version in the appliance; changes nothing yet. Signed with your key.",
     .options = OPTION_COMMENT,
     .run = policy_push},
    {.noun = "policy",
     .verb = "list",
     .usage = "",
     .summary = "Show the policy versions that were pushed, newest first.",
     .run = policy_list},
    {.noun = "policy",
     .verb = "show",
     .subject = "NUMBER",
     .subject_count = 1,
     .usage = "",
     .summary = "Print a policy version; NUMBER may be active or previous.",
     .run = policy_show},
    {.noun = "policy",
     .verb = "diff",
     .subject = "A B",
     .subject_count = 2,
     .usage = "",
     .summary = "Say what B changes. Each is a file, a NUMBER, active or previous. Exits with 1 when they differ.",
     .inspect = policy_compare},
    {.noun = "policy",
     .verb = "simulate",
     .subject = "NUMBER",
     .subject_count = 1,
     .usage = "",
     .summary = "Judge every machine's last evidence by this version and show who would change.",
     .run = policy_simulate},
    {.noun = "policy",
     .verb = "capture",
     .usage = "--machine ID [--name NAME]",
     .summary = "Propose a baseline from a machine's last evidence, as an item for a policy's baselines.",
     .options = OPTION_MACHINE | OPTION_NAME,
     .required = OPTION_MACHINE,
     .run = policy_capture_baseline},
    {.noun = "policy",
     .verb = "predict",
     .subject = "FILE BASELINE",
     .subject_count = 2,
     .usage = "--name NAME [--pcr BANK:INDEX=HEX]... [--claim NAME=VALUE]...",
     .summary = "Propose the baseline that an update turns BASELINE into, from what its build says. Needs no appliance.",
     .options = OPTION_NAME | OPTION_PCR | OPTION_CLAIM,
     .required = OPTION_NAME,
     .inspect = policy_predict_baseline},
    {.noun = "policy",
     .verb = "activate",
     .subject = "NUMBER",
     .subject_count = 1,
     .usage = "[--comment TEXT] [--yes]",
     .summary = "Judge machines by this version from now on. Signed with your key.",
     .options = OPTION_COMMENT | OPTION_YES,
     .run = policy_activate},
    {.noun = "policy",
     .verb = "rollback",
     .usage = "[--comment TEXT] [--yes]",
     .summary = "Go back to the version that was in force before. Signed with your key.",
     .options = OPTION_COMMENT | OPTION_YES,
     .run = policy_rollback},
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
    {.noun = "evidence",
     .verb = "eventlog",
     .subject = "FILE",
     .subject_count = 1,
     .usage = "[--userspace-log FILE] [--json]",
     .options = OPTION_USERSPACE_LOG,
     .summary = "Explain a firmware event log: PCR values by replay, what booted, what deviates. FILE may be -,\n"
                "      base64 or hexadecimal. Exits with 1 when events contradict their digests, name PCRs that don't\n"
                "      exist or report a firmware error; with 2 when it is no event log. Missing digests, padding and\n"
                "      unusual hashing are warnings only.",
     .inspect = evidence_eventlog},
    {.noun = "evidence",
     .verb = "diff",
     .subject = "A B",
     .subject_count = 2,
     .usage = "[--json]",
     .summary = "Compare two event logs and say in words what changed between the boots. Exits with 0 when they say\n"
                "      the same, 1 when not, 2 when one is no event log.",
     .inspect = evidence_diff},
    {.noun = "evidence",
     .verb = "ek",
     .subject = "FILE",
     .subject_count = 1,
     .usage = "[--ca-dir DIR]... [--at TIME]",
     .summary =
         "Judge an EK certificate without an appliance: who made the TPM, and whether it leads "
         "to a\n      root below the folders. FILE: PEM, DER, base64, JSON of Intel's service, an "
         "NV image; - reads\n      standard input. Exit status 0 trusted, 1 not, 2 unreadable.",
     .options = OPTION_CA_DIR | OPTION_AT,
     .inspect = evidence_ek},
    {.noun = "evidence",
     .verb = "quote",
     .usage = "--quote FILE --signature FILE --ak FILE [--nonce HEX]\n"
              "                  [--eventlog FILE [--userspace-log FILE]] [--pcrs FILE]",
     .summary =
         "Check a TPM's quote without an appliance. Quote: TPMS_ATTEST or TPM2B_ATTEST; "
         "signature:\n      TPMT_SIGNATURE, DER or raw; AK: public key or certificate in PEM or "
         "DER, or its public area;\n      PCRs: quotepcr.out of tpm2_quote or JSON "
         "{bank: {pcr: hex}}. Each also as hexadecimal or base64\n      text. The event log must "
         "replay to what was quoted; with PCRs it is said which don't. Exit status\n      0 valid, "
         "1 not, 2 unreadable.",
     .options = OPTION_QUOTE | OPTION_SIGNATURE | OPTION_AK | OPTION_NONCE | OPTION_PCRS |
                OPTION_EVENTLOG | OPTION_USERSPACE_LOG,
     .required = OPTION_QUOTE | OPTION_SIGNATURE | OPTION_AK,
     .inspect = evidence_quote},
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
