/* EFI variables as events carry them: UEFI_VARIABLE_DATA (PFP section 10.2.6), signature databases
 * (UEFI 2.10 section 32.4.1), boot options (section 3.1.3). */
#ifndef ITL_TPM_EFI_VARIABLE_H
#define ITL_TPM_EFI_VARIABLE_H

#include "tpm/event_text.h"

struct efi_variable {
    struct view guid; /* 16 bytes */
    struct view name; /* UTF-16LE */
    struct view data;
    size_t end; /* where data ends in the event; some of shim's events have stray bytes behind it */
};

/* False when lengths do not fit: neither as 64 bits nor, up to the last byte of the event, as the
 * 32 that 32-bit firmware once wrote. */
bool efi_variable_parse(struct view event_data, struct efi_variable *out_variable);

/* Whether the name is this ASCII text. */
bool efi_variable_is(const struct efi_variable *variable, const char *name);

/* Walks the entries of all EFI_SIGNATURE_LISTs; zeros behind the last are padding. */
struct efi_signatures {
    struct view rest;    /* lists not yet read */
    struct view entries; /* of the present list */
    const uint8_t *type; /* its GUID */
    uint32_t entry_size;
    bool broken; /* sizes did not fit: what follows is not known */
};

struct efi_signature {
    const uint8_t *type; /* GUID */
    struct view owner;   /* GUID */
    struct view data;
};

struct efi_signatures efi_signatures_of(struct view database);
bool efi_signatures_next(struct efi_signatures *s, struct efi_signature *out_signature);

/* "x509:sha256:HEX" of a certificate's DER, "sha256:HEX" for a hash, "x509_tbs_sha256:HEX",
 * "rsa2048:sha256:HEX" of the key, "GUID:sha256:HEX" of what else there is. Errors: CRYPTO. */
ERRFN efi_signature_put(struct event_text *t, const struct efi_signature *signature);

/* The certificate's subject in one line; false for what is none. */
bool efi_certificate_put_subject(struct event_text *t, struct view der);

bool efi_signature_is_certificate(const struct efi_signature *signature);

/* EFI_LOAD_OPTION: "DESCRIPTION PATH", with "(inactive)" before it when the firmware would not try
 * it. False when it does not parse. */
bool efi_load_option_put(struct event_text *t, struct view option);

/* UEFI_IMAGE_LOAD_EVENT's device path (PFP section 10.2.3): behind four numbers of 64 bits, of
 * which 32-bit firmware writes the last three with 32. False for what is neither. */
bool efi_image_load_path(struct view event_data, struct view *out_path);

#endif
