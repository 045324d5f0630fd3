/* Between the files that read claims: one file for each kind of event. */
#ifndef ITL_TPM_EVENT_CLAIMS_PARTS_H
#define ITL_TPM_EVENT_CLAIMS_PARTS_H

#include "tpm/event_claims.h"
#include "tpm/event_replay.h"
#include "tpm/event_text.h"

#include <openssl/types.h>

enum {
    GRUB_COMMANDS_MAX = 1024, /* a grub.cfg of a distribution runs some fifty */
    CLAIM_UKI_SECTIONS = 14
};

struct claim_reader {
    const struct event_log *log;
    const struct event_bank *bank;
    struct claims *claims;
    EVP_MD_CTX *ctx;
    struct event_text text; /* scratch of whoever adds a claim */
    uint8_t separators[2][TPM_DIGEST_MAX_BYTES];
    uint32_t separated; /* bit i: the separator of register i is behind us */
    uint32_t closed;    /* the same, or one that reports an error */

    /* Boot attempts; values point into claims. */
    unsigned attempts;
    const char *attempt_loader;
    const char *earlier_loader;
    const char *exit_boot_services;

    size_t grub_commands;
    uint32_t windows_flags[2]; /* which flags of Windows were said to be off, and on: each loader
                                  says them again */
    uint8_t uki_names[CLAIM_UKI_SECTIONS][TPM_DIGEST_MAX_BYTES];
    const char *uki_section; /* its name was measured; the next event there has its content */
    bool explained;          /* what the present event measured is known from the log */
};

/* One event with its digest in the bank. */
struct claim_event {
    const struct event_record *record;
    size_t index;
    struct view digest;
};

/* event_digest.c: whether the digest is the hash of these bytes, or of the two one after the other.
 */
ERRFN event_digest_is(struct claim_reader *r, const struct claim_event *e, struct view bytes,
                      bool *out_is);
ERRFN event_digest_is_joined(struct claim_reader *r, const struct claim_event *e, struct view first,
                             struct view second, bool *out_is);

/* The same for a text, with and without a NUL. */
ERRFN event_digest_is_text(struct claim_reader *r, const struct claim_event *e, struct view text,
                           bool *out_is);

/* Hashes in the bank's algorithm; out_digest has TPM_DIGEST_MAX_BYTES. */
ERRFN event_digest_make(struct claim_reader *r, struct view bytes, uint8_t *out_digest);

/* Adds the scratch text as a value; one that was cut marks the claims as truncated. */
ERRFN claim_add_text(struct claim_reader *r, const char *name);

/* Adds "sha256:HEX" of the event's digest. */
ERRFN claim_add_digest(struct claim_reader *r, const char *name, const struct claim_event *e);

/* A warning that data is not what was measured, and log.unverified_data. */
ERRFN claim_unverified(struct claim_reader *r, const struct claim_event *e, bool serious);

/* A warning that an event is none of its type: measured so, or not what was measured either, and
 * then perhaps serious. */
ERRFN claim_malformed(struct claim_reader *r, const struct claim_event *e, bool serious);

/* PCR of an event as PFP numbers them. CC registers hold several: then `pcr` counts as matched when
 * its register is this one (the CC mapping of UEFI 2.10 section 38.4.1: PCR 1 and 7 are register 1,
 * PCR 2 to 6 register 2, PCR 8 to 15 register 3). */
bool claim_in_pcr(const struct claim_reader *r, const struct claim_event *e, uint32_t pcr);

/* event_claims_secure_boot.c, event_claims_boot.c, event_claims_firmware.c, event_claims_ipl.c,
 * event_claims_systemd.c, event_claims_tagged.c, event_claims_windows.c */
ERRFN claims_from_variable_config(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_variable_authority(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_variable_boot(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_image(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_action(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_gpt(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_crtm_version(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_separator(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_nonhost_info(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_ipl(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_tagged(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_windows(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_from_utf16(struct claim_reader *r, const struct claim_event *e);
ERRFN claims_of_separators(struct claim_reader *r); /* at the end */
ERRFN claims_of_boot(struct claim_reader *r);
ERRFN claims_prepare_uki(struct claim_reader *r); /* at the start */

/* event_claims_log.c: of the log as a whole; the warnings need no digest that is known. */
void claims_warn_of_log(struct claim_reader *r);
ERRFN claims_of_log(struct claim_reader *r);

/* event_claims_userspace.c: of a word that userspace measured, whoever recorded it; `text` is what
 * the digest covers. */
ERRFN claims_from_word(struct claim_reader *r, const struct claim_event *e, struct view text);
ERRFN claims_from_userspace(struct claim_reader *r, const struct claim_event *e);

/* Of every event, whatever its type. */
ERRFN claims_from_uki(struct claim_reader *r, const struct claim_event *e);

/* `surely`: there is nothing else the event could be. */
ERRFN claims_from_command_line(struct claim_reader *r, const struct claim_event *e, bool surely);

#endif
