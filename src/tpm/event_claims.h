/* From a log to claims: what its events mean.
 *
 * A machine writes its own log. Replay proves which digests were extended into which PCR and in
 * which order there; it does not prove event types, texts, or the order between PCRs. So nothing is
 * taken from an event's data unless its digest, in the bank asked for, is the hash of that data.
 * Where data and digest disagree there is a warning instead of a claim, and log.unverified_data
 * names the event.
 *
 * Nor can a log hide what was measured by calling it something else: what its data does not explain
 * is in opaque.pcrN for every PCR of code (2, 4, 7 to 9, 11 to 15). A rule that must not be fooled
 * says which digests may be there, with subset_of, and does not ask for one by its label.
 *
 * `digest` below is "sha256:HEX", with the name of the bank asked for. (L): the digest is proved,
 * but which of the measured things it belongs to, a path or a label, is only the log's word.
 *
 *   log.format                    crypto-agile or sha1; log.bank, log.spec_version ("2.0"),
 *                                 log.startup_locality
 *   log.userspace                 how many records userspace's log has; log.userspace.nv_index,
 *                                 of those no PCR's, .unknown, of a kind not known here
 *   log.cc                        "true" for a confidential-computing log
 *   log.algorithms                "sha1,sha256", as the header lists them
 *   log.separator.error           "PCR n": the firmware met an error, or a separator is not one
 *   log.separator.missing         "PCR n", of PCR 0 to 7
 *   log.unverified_data           "24 EV_IPL": an event whose data its digest does not cover
 *
 *   secure_boot.enabled           "true" or "false", as measured before the firmware's separator
 *   secure_boot.setup_mode        also .deployed_mode, .audit_mode: measured so late that what
 *                                 runs after the firmware could do it, too
 *   secure_boot.pk .kek .db .dbx .dbt .dbr .devdb .vendor_db .mok_list .mok_list_x
 *                                 one for each entry: x509:sha256:HEX of the DER, sha256:HEX, …
 *                                 (efi_variable.h); <name>.subject of certificates,
 *                                 <name>.digest sha256:HEX of the variable
 *   secure_boot.mok_list.digest   what shim measured into PCR 14, digest (L); also
 *                                 .mok_list_x, .mok_list_trusted, .mok_sb_state, .mok_policy
 *   secure_boot.mok_list_trusted  "true" or "false"
 *   secure_boot.mok_sb_state      hexadecimal
 *   secure_boot.sbat_level        one for each line: "shim,2"
 *   secure_boot.authority         which entry let an image run: db:x509:sha256:HEX; without "db:"
 *                                 where the digest does not cover the name; .authority.subject
 *
 *   firmware.crtm_version         text
 *   firmware.crtm, firmware.blob  digest (L)
 *   firmware.post_code            digest (L); .microcode, too
 *   firmware.confidential_computing  none, amd-sev, amd-sev-es, intel-tdx, amd-sev-snp, by Google's
 *   firmware.debug_mode           "true"
 *   firmware.dma_protection       "disabled"
 *
 *   boot.order, boot.option       "0001,0000"; "Boot0001 DESCRIPTION PATH"; the names are the log's
 *                                 word where the firmware hashes values only
 *   boot.attempts                 how often a boot option was started
 *   boot.loader                   digest of the first application of the last attempt that does not
 *                                 come out of the firmware itself (L)
 *   boot.application              digest of every image in order, of those that returned too, and
 *                                 of everything else in PCR 4 that does not stand in the log
 *   boot.driver                   digest (L)
 *   boot.application_path         device path (L)
 *   boot.gpt_disk_guid            of the disks the firmware looked at
 *   boot.gpt_partition            "NAME GUID TYPE"
 *   boot.exit_boot_services       invoked, returned or failed
 *
 *   device.firmware, .config      digest: what a device said of itself by SPDM, in PCR 2 and 3 (L)
 *
 *   kernel.command_line           by GRUB; which of its texts is the kernel's is the log's word
 *   kernel.digest, initrd.digest  digest; proved for a UKI, otherwise (L)
 *   grub.command                  text; at most 1,024
 *   grub.file, grub.file_path     digest; path (L)
 *   stub.command_line             text, by systemd-boot and systemd-stub
 *   stub.load_options             digest of the command line by Linux's own stub (L)
 *   stub.credential, sysext, confext, stub.initrd_addon, stub.ucode_addon, stub.devicetree_addon,
 *   loader.conf, uki.profile      digest (L)
 *   uki.section                   ".linux:sha256:HEX": name and content are both measured, and
 *                                 read from digests alone
 *   uki.phase, machine.id         what systemd measured into PCR 11 and 15
 *   machine.file_system           "/:ext4:UUID:LABEL:PARTITION:TYPE:NAME", in PCR 15
 *   machine.volume_key            "NAME:UUID digest": the digest is of an HMAC with the volume's
 *                                 key, in PCR 15 (L)
 *   machine.nvpcr                 "NAME:0xHANDLE:TPM-NAME" of NV indexes used as PCRs, in PCR 9
 *   opaque.pcrN, opaque.rtmrN     digest of what the log's data does not explain
 *   windows.*                     event_claims_windows.c: code integrity, test signing, debuggers,
 *                                 ELAM, boot policy, loaded modules
 */
#ifndef ITL_TPM_EVENT_CLAIMS_H
#define ITL_TPM_EVENT_CLAIMS_H

#include "tpm/claims.h"
#include "tpm/event_log.h"

/* Claims as far as digests of this bank prove them (TPM_ALG_ID; the one that was quoted, or
 * event_log_preferred_bank). Warnings say what deviates. Linear in the log. Errors: NO_MEMORY,
 * CRYPTO. */
ERRFN event_claims_read(const struct event_log *log, uint16_t bank, struct claims **out_claims);

/* Whether a name is that of a set: it may stand any number of times, and none is as good as one. */
bool event_claim_is_set(const char *name);

#endif
