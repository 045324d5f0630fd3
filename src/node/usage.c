#include "node/options.h"

const char *options_usage(void)
{
    /* clang-format off */
    return "Usage: itl-tpm-register --url https://HOST[:PORT] (--ca FILE | --pin PIN) [options]\n"
           "\n"
           "Proves with this machine's TPM 2.0 what it is and how it booted, and fetches its configuration.\n"
           "\n"
           "  --url URL         the appliance (or ITL_REG_URL)\n"
           "  --ca FILE         PEM file with the appliance's CA, or its own self-signed certificate\n"
           "  --pin PIN         its identity: sha256//BASE64 of its key, or its certificate's SHA-256 in hex\n"
           "  --tcti TCTI       the TPM (or ITL_TCTI; default " OPTIONS_DEFAULT_TCTI ")\n"
           "  --once            one attempt; the exit status tells how it went\n"
           "  --wait SECONDS    keep trying for so long (default: for ever)\n"
           "  --stay            attest again whenever policy asks for it, for ever; a changed\n"
           "                    configuration is applied again\n"
           "  --poll SECONDS    pause between attempts (default 60)\n"
           "  --ek KEY          EK to show: auto, p256, p384, p521, rsa2048, rsa3072, rsa4096\n"
           "  --ak KEY          attestation key to sign with: auto, p384, p256, rsa2048\n"
           "  --state DIR       keep the attestation key's wrapped blob here\n"
           "  --apply CMD       run CMD with the configuration on standard input; {} in CMD is a file name\n"
           "                    for it; there is no shell\n"
           "  --output FILE     write the configuration to FILE (mode 0600), or - for standard output\n"
           "  --enroll-cert P   get an enrollment certificate too: a new key in P.key (mode 0600), P.crt and P-ca.crt,\n"
           "                    and P-svid.crt where the appliance has a trust domain\n"
           "  --wipe CMD        run CMD when the appliance orders this machine to wipe itself, then report it done\n"
           "  --receipt FILE    write an offline receipt to FILE, or -, and stop\n"
           "  --event-log FILE  firmware event log (default: the kernel's)\n"
           "  --role ROLE       role to ask for\n"
           "  --cluster ID      cluster to ask for\n"
           "  --hw-uuid, --hw-mac, --hw-serial, --hw-product TEXT\n"
           "                    instead of what the firmware says\n"
           "  --json            progress as one JSON object a line\n"
           "\n"
           "Exit status: 0 attested and applied, 10 waiting for approval, 11 locked, 12 revoked,\n"
           "13 refused, 2 usage, 1 other failure.\n";
    /* clang-format on */
}
