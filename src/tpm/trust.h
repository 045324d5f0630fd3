/* Which EKs are believed to sit in a TPM: certificates that lead to configured roots, and keys
 * allowed by hash. The path is walked here, hop by hop, because X509_verify_cert refuses genuine
 * certificates. */
#ifndef ITL_TPM_TRUST_H
#define ITL_TPM_TRUST_H

#include "base/bytes.h"
#include "tpm/ek.h"

enum {
    TRUST_CERTS_MAX =
        4096, /* roots and intermediates together; all vendors there are make about 700 */
    TRUST_FILES_MAX = 4096,                 /* files in one folder */
    TRUST_FILE_MAX_BYTES = 4 * 1024 * 1024, /* one bundle */
    TRUST_HASHES_MAX = 1000000,             /* allowed hashes: a fleet without EK certificates */
    TRUST_NODE_CERTS_MAX = EK_CHAIN_MAX,    /* intermediates a node may send */
    TRUST_NODE_CERT_MAX_BYTES = EK_CHAIN_CERT_MAX_BYTES, /* each */
    TRUST_DEPTH_MAX = 8,                                 /* certificates between EK and root */
    TRUST_NAME_SIZE = 256,
    TRUST_FILE_NAME_SIZE = 256
};

struct trust;

enum trust_chain {
    TRUST_CHAIN_NONE = 0,  /* no certificate */
    TRUST_CHAIN_TRUSTED,   /* leads to a root, and everything on the way and in the EK certificate
                              holds */
    TRUST_CHAIN_UNTRUSTED, /* its issuer, or some issuer above, is not known */
    TRUST_CHAIN_INVALID    /* issuers of the right names are known, but a signature or a constraint
                              does not hold */
};

/* What stands in the way. */
enum trust_finding {
    TRUST_FINDING_NONE = 0,
    TRUST_FINDING_NO_CERTIFICATE,
    TRUST_FINDING_ISSUER_UNKNOWN,
    TRUST_FINDING_SIGNATURE,
    TRUST_FINDING_WEAK_SIGNATURE,
    TRUST_FINDING_ISSUER_NOT_CA,
    TRUST_FINDING_ISSUER_KEY,
    TRUST_FINDING_ISSUER_NOT_VALID,
    TRUST_FINDING_ISSUER_EXTENSION,
    TRUST_FINDING_PATH_LENGTH,
    TRUST_FINDING_NAME_CONSTRAINT,
    TRUST_FINDING_EK_IS_CA,
    TRUST_FINDING_EK_NOT_YET_VALID,
    TRUST_FINDING_EK_VALIDITY,
    TRUST_FINDING_EK_KEY_USAGE,
    TRUST_FINDING_EK_PURPOSE,
    TRUST_FINDING_EK_EXTENSION,
    TRUST_FINDING_EK_VERSION, /* of X.509, which has extensions from version 3 on */
    TRUST_FINDING_EK_TPM12,   /* of a TPM 1.2, by its own specification attribute */
    TRUST_FINDING_EK_KEY,     /* of a type or size that is not accepted */
    TRUST_FINDING_COUNT
};

struct trust_verdict {
    enum trust_chain chain;
    bool hash_allowed;
    bool expired; /* the EK certificate is past notAfter; a factory certificate may be */
    char anchor[TRUST_NAME_SIZE]; /* subject of the root, one line; empty unless TRUSTED */
    enum trust_finding finding;   /* the first: of the way to a root, then of the EK certificate */
    uint32_t findings;            /* all, a bit 1 << enum trust_finding each */
    char
        missing[TRUST_NAME_SIZE]; /* for ISSUER_UNKNOWN the subject that was looked for, one line */
    err_t reason; /* OK when acceptable by chain or by hash; else EK_NOT_TRUSTED, EK_CHAIN_INVALID
                     or EK_NOT_A_CERTIFICATE */
};

ERRFN trust_new(struct trust **out_trust);
void trust_free(struct trust *trust);
AUTO_DEFINE(trust, struct trust, trust_free);

/* Adds the certificates of a PEM bundle or of one DER file; out_count says how many were new.
 * Errors: FIELD_INVALID when it holds no certificate or one that can't be read, TOO_LONG past
 * TRUST_CERTS_MAX; nothing is added then. */
ERRFN trust_add_root(struct trust *trust, struct view pem_bundle_or_der, size_t *out_count);
ERRFN trust_add_intermediate(struct trust *trust, struct view pem_bundle_or_der, size_t *out_count);

struct trust_mixed {
    size_t roots;
    size_t intermediates;
    size_t skipped; /* parts that are no certificate */
};

/* Adds every certificate that can be read in a PEM bundle, a DER file or a PKCS#7 bag: as a root
 * when its own key signed it, else as an intermediate. For folders of mixed origin that a person
 * names; an appliance is told which are its roots. Errors: FIELD_INVALID when it holds no
 * certificate, TOO_LONG past TRUST_CERTS_MAX; nothing is added then. */
ERRFN trust_add_mixed(struct trust *trust, struct view sent, struct trust_mixed *out_added);

/* Adds every regular file of a folder, in the order of their names, hidden files left out. Errors:
 * CONFIG_UNREADABLE when the folder or a file can't be read, CONFIG_INVALID for a file without a
 * readable certificate, TOO_LONG past a limit; out_bad_file (size bytes, may be NULL) then names
 * the file. */
ERRFN trust_load_folder(struct trust *trust, const char *folder, bool roots, char *out_bad_file,
                        size_t size);

/* Allows an EK by SHA-256 (64 hex digits) or SHA-384 (96) of its SubjectPublicKeyInfo. Errors:
 * FIELD_INVALID, TOO_LONG. */
ERRFN trust_allow_hash(struct trust *trust, struct view hex_text);

/* Adds what `from` holds: its intermediates, and with `anchors` its roots and allowed hashes as
 * well. The certificates are shared. Errors: TOO_LONG past a limit, NO_MEMORY. */
ERRFN trust_add_all(struct trust *trust, const struct trust *from, bool anchors);

size_t trust_root_count(const struct trust *trust);
size_t trust_intermediate_count(const struct trust *trust);
size_t trust_hash_count(const struct trust *trust);

/* Judges an EK. node_intermediates are untrusted: they help to find a path and count for nothing
 * else. An EK certificate counts by its time of issue: expired is accepted and shown, not yet valid
 * is refused; an issuer must have been valid then or be valid now (vendors renew CA certificates
 * without changing the key). Follows RFC 5280 section 6 where TPM vendors do, and the TCG EK
 * Credential Profile section 3 for the EK itself. Errors, none of them a verdict: TOO_LONG past a
 * TRUST_NODE_ limit, FIELD_INVALID for a node intermediate that is no certificate, NO_MEMORY. */
ERRFN trust_evaluate(const struct trust *trust, const struct ek *ek,
                     const struct view *node_intermediates, size_t count, uint64_t now_ms,
                     struct trust_verdict *out_verdict);

/* Stable snake_case word, for example "ek_is_ca"; "none". */
const char *trust_finding_name(enum trust_finding finding);

#endif
