/* machine_config_merge and machine_config_pending for scripts:
 *     talos_merge merge MACHINE_ID ROLE HOSTNAME ADDRESS FINGERPRINT CLUSTER INSTALLER < base >
 * merged talos_merge pending SERVICE_URL CLUSTER > pending Exits with 1 and the reason on standard
 * error when refused. */
#include "base/fd.h"
#include "talos/machine_config.h"

#include <stdio.h>
#include <string.h>

static ERRFN merge(char *const *argument, struct buf *out)
{
    AUTO(buf) base = NULL;
    TRY(fd_read_file("/dev/stdin", 2 * MACHINE_CONFIG_MAX_BYTES, &base));
    struct machine_config_facts facts = {.machine_id = argument[0],
                                         .role = argument[1],
                                         .hostname = argument[2],
                                         .assigned_ip = argument[3],
                                         .ek_fingerprint = argument[4],
                                         .cluster_id = argument[5],
                                         .installer_image = argument[6]};
    return machine_config_merge(buf_view(base), &facts, out);
}

static ERRFN run(int argc, char *const *argv)
{
    AUTO(buf) out = NULL;
    TRY(buf_new(MACHINE_CONFIG_MAX_BYTES, &out));
    if (argc == 9 && strcmp(argv[1], "merge") == 0) {
        TRY(merge(argv + 2, out));
    } else if (argc == 4 && strcmp(argv[1], "pending") == 0) {
        TRY(machine_config_pending(argv[2], argv[3], out));
    } else {
        return E(BAD_REQUEST);
    }
    return fd_write_full(1, out->data, out->len);
}

int main(int argc, char **argv)
{
    err_t e = run(argc, argv);
    if (!IS_OK(e)) {
        fprintf(stderr, "%s\n", err_reason(e));
        return 1;
    }
    return 0;
}
