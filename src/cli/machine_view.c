#include "cli/machine_view.h"

#include <stdio.h>

#include "cli/confirm.h"
#include "cli/print.h"
#include "cli/table.h"

static const struct table_column detail_columns[] = {
    {"Machine", "machine_id", 0},
    {"Status", "status", 0},
    {"Role", "role", 0},
    {"Asked for", "desired_role", 0},
    {"Cluster", "cluster_id", 0},
    {"Hostname", "hostname", 0},
    {"Address", "assigned_ip", 0},
    {"Product", "hw_product", 0},
    {"Serial number", "hw_serial", 0},
    {"System UUID", "hw_uuid", 0},
    {"MAC address", "hw_mac", 0},
    {"EK source", "ek_source", 0},
    {"EK fingerprint", "ek_fingerprint", 0},
    {"EK public hash", "ek_public_hash", 0},
    {"TPM manufacturer", "ek_manufacturer", 0},
    {"TPM model", "ek_model", 0},
    {"TPM version", "ek_version", 0},
    {"EK trust anchor", "ek_anchor", 0},
    {"Assurance", "assurance", 0},
    {"Registered", "registered_at", 0},
    {"Attested", "attested_at", 0},
    {"Locked", "locked_at", 0},
    {"Revoked", "revoked_at", 0},
    {"Wipe pending", "wipe_pending", 0},
    {"Evidence", "evidence_at", 0},
    {"Holds until", "evidence_until", 0},
    {"Stale", "stale", 0},
};

enum { DETAIL_COUNT = sizeof detail_columns / sizeof detail_columns[0] };

static const struct table_column ek_columns[] = {
    {"EK FINGERPRINT", "ek_fingerprint", 96}, {"KEY", "key", 0},           {"SOURCE", "ek_source", 0},
    {"SINCE", "since", 0},                    {"NAMES IT", "names_machine", 0},
};

void machine_print_eks(const json_t *answer)
{
    const json_t *eks = json_object_get(answer, "eks");
    if (json_array_size(eks) > 1) {
        puts("\nEKs of its TPM:");
        table_print(stdout, ek_columns, sizeof ek_columns / sizeof ek_columns[0], eks);
    }
}

ERRFN machine_print(const struct options *options, const json_t *machine)
{
    if (options->output == OUTPUT_JSON) {
        return print_json(machine);
    }
    table_print_object(stdout, detail_columns, DETAIL_COUNT, machine);
    machine_print_eks(machine);
    return OK;
}

ERRFN machine_confirm(const struct options *options, const json_t *machine, const char *question)
{
    if (confirm_is_asked(options)) {
        table_print_object(stderr, detail_columns, DETAIL_COUNT, machine);
    }
    return confirm(options, question);
}
