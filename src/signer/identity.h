/* From what a node sent to who it is: EK, trust, machine. */
#ifndef ITL_SIGNER_IDENTITY_H
#define ITL_SIGNER_IDENTITY_H

#include "signer/signer.h"
#include "tpm/ek.h"

/* Parses the EK and compares the fingerprint sent with it ("" for none), noting both for the audit row. */
ERRFN identity_read(struct call *call, struct view ek_bytes, uint8_t source, struct view fingerprint, struct ek **out_ek);

/* Judges the EK's trust as policy wants it. OK with *out_verdict->reason set means "not by itself, but an operator may decide". */
ERRFN identity_trust(struct call *call, const struct ek *ek, struct trust_verdict *out_verdict);

/* Whether policy trusts the EK by itself, by certificate or allowed hash, so that it is known to sit in a TPM. */
ERRFN identity_vouched(struct call *call, const struct ek *ek, bool *out_vouched);

/* The machine of this EK. Errors: MACHINE_UNKNOWN. */
ERRFN identity_machine(struct call *call, const struct ek *ek, struct machine *out_machine);

/* The EK's key as it was stored, ready for a credential; a certificate was judged when it came in, and OpenSSL 3.0 takes
 * eight times as long to read one as to read the key alone. */
ERRFN identity_stored_ek(struct call *call, const char *fingerprint, struct ek **out_ek);

/* The EK as it was stored, with its certificate where there is one, ready to be judged. */
ERRFN identity_stored_certificate(struct call *call, const char *fingerprint, struct ek **out_ek);

/* What the machine's evidence amounts to: "tpm-certificate/P-384", "tpm-hash/RSA-2048", "tpm-unverified/P-256". */
ERRFN identity_assurance(const struct trust_verdict *verdict, const char *ak_key, char *out_text, size_t size);

#endif
