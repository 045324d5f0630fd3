/* The endorsement key: who a machine is. Reads what nodes send (certificates as they come out of NV
 * memory, or only the public key), gives the identity and the facts in the certificate. Says
 * nothing about trust: that is trust.h. */
#ifndef ITL_TPM_EK_H
#define ITL_TPM_EK_H

#include "base/bytes.h"
#include "crypto/digest.h"
#include "tpm/key.h"

#include <openssl/types.h>

enum {
    EK_MAX_BYTES = 24576, /* 8 KiB for two certificates in one padded NV index, and the CAs above */
    EK_CHAIN_MAX = 8,     /* certificates that may follow the EK's; */
    EK_CHAIN_CERT_MAX_BYTES = 4096, /* a longer one is passed over */
    /* RFC 5280 allows 20 octets; readers are to cope with longer ones. */
    EK_SERIAL_MAX_BYTES = 64,
    EK_SERIAL_TEXT_SIZE =
        2 + 2 * EK_SERIAL_MAX_BYTES, /* a minus sign, two digits an octet, a NUL */
    EK_ATTRIBUTE_SIZE = 257,         /* vendors use under 32 */
    EK_FAMILY_SIZE = 8               /* "1.2" or "2.0" */
};

enum ek_source { EK_SOURCE_NONE = 0, EK_SOURCE_CERT, EK_SOURCE_PUB };

enum ek_key {
    EK_KEY_NONE = TPM_KEY_NONE,
    EK_KEY_RSA_2048 = TPM_KEY_RSA_2048,
    EK_KEY_RSA_3072 = TPM_KEY_RSA_3072,
    EK_KEY_RSA_4096 = TPM_KEY_RSA_4096,
    EK_KEY_P256 = TPM_KEY_P256,
    EK_KEY_P384 = TPM_KEY_P384,
    EK_KEY_P521 = TPM_KEY_P521
};

/* What deviates from the TCG EK Credential Profile or from DER. Facts on the machine, not
 * errors. */
enum ek_quirk {
    EK_QUIRK_PADDED = 1U << 0,        /* trailing 0x00 or 0xFF, as read from NV */
    EK_QUIRK_TCG_HEADER = 1U << 1,    /* TCG_PCCLIENT_STORED_CERT header before the certificate */
    EK_QUIRK_OCTET_STRING = 1U << 2,  /* wrapped in an OCTET STRING */
    EK_QUIRK_SECOND_CERT = 1U << 3,   /* others follow; the first one counts */
    EK_QUIRK_RSAES_OAEP = 1U << 4,    /* the key's algorithm is id-RSAES-OAEP */
    EK_QUIRK_UNSORTED_NAME = 1U << 5, /* a name's SET is not in DER order */
    EK_QUIRK_NO_TPM_SAN = 1U << 6,    /* no manufacturer, model and version in a subjectAltName */
    EK_QUIRK_NO_EXPIRY = 1U << 7,     /* notAfter 99991231235959Z */
    EK_QUIRK_NO_PURPOSE = 1U << 8,    /* no extendedKeyUsage */
    EK_QUIRK_NO_KEY_USAGE = 1U << 9,  /* no keyUsage */
    EK_QUIRK_ECC_ENCIPHERMENT = 1U << 10, /* ECC key with keyEncipherment, not keyAgreement */
    EK_QUIRK_RSA_AGREEMENT = 1U << 11     /* RSA key with keyAgreement, not keyEncipherment */
};

struct ek {
    enum ek_source source;
    enum ek_key key_type;
    EVP_PKEY *key;
    X509 *x509;       /* NULL for EK_SOURCE_PUB */
    struct buf *area; /* what was sent, unwrapped: DER certificates one behind the other, which
                         ek_parse reads alike; NULL for EK_SOURCE_PUB */
    struct view cert; /* the first of them, the EK's; empty for EK_SOURCE_PUB */
    struct view chain[EK_CHAIN_MAX]; /* those behind it that could be CAs above it, unverified */
    size_t chain_count;
    struct buf *spki; /* SubjectPublicKeyInfo in its one encoding (spki.h) */

    uint8_t spki_sha384[SHA384_BYTES]; /* the machine's identity, ek_fingerprint */
    uint8_t spki_sha256[SHA256_BYTES]; /* ek_public_hash */
    uint8_t cert_sha384[SHA384_BYTES]; /* of cert; as sent_ for EK_SOURCE_PUB */
    uint8_t cert_sha256[SHA256_BYTES];
    uint8_t sent_sha384[SHA384_BYTES]; /* of the bytes as sent */
    uint8_t sent_sha256[SHA256_BYTES];

    /* What a credential for this key is made with. From the public area where one was given, else
     * from the TCG template of the key type (EK Credential Profile annex B: L-1, L-2 with SHA-256
     * and AES-128; H-3, H-4, H-6, H-7 with larger ones). */
    uint16_t name_alg;       /* TPM_ALG_SHA256, _SHA384 or _SHA512 */
    uint16_t symmetric_bits; /* AES-CFB: 128 or 256 */
    bool public_area_known;

    /* From the certificate; empty or 0 where there is none. */
    char manufacturer[EK_ATTRIBUTE_SIZE]; /* "id:" and eight hex digits, as in the certificate */
    char model[EK_ATTRIBUTE_SIZE];
    char version[EK_ATTRIBUTE_SIZE];
    char family[EK_FAMILY_SIZE]; /* of the TPM specification, with its level and revision */
    uint32_t level;
    uint32_t revision;
    char serial[EK_SERIAL_TEXT_SIZE]; /* lower-case hex without a sign octet, "-" when negative */
    uint64_t valid_from_ms;           /* UTC */
    uint64_t valid_until_ms;          /* UTC */
    uint32_t quirks;                  /* enum ek_quirk */
};

/* EK_SOURCE_CERT: a certificate in PEM or DER, in DER also behind a TCG header, inside one OCTET
 * STRING, followed by 0x00 or 0xFF padding or by other certificates. EK_SOURCE_PUB:
 * SubjectPublicKeyInfo or RSAPublicKey in DER or PEM, TPM2B_PUBLIC or TPMT_PUBLIC; the latter two
 * are checked as ek_set_public_area does. Errors: EK_MISSING when nothing was sent, EK_UNREADABLE,
 * EK_KEY_UNSUPPORTED, EK_TEMPLATE, TOO_LONG. */
ERRFN ek_parse(struct view sent, enum ek_source source, struct ek **out_ek);

/* As ek_parse for a certificate, but a key of a type or size that is not accepted is left out: key
 * is NULL, key_type EK_KEY_NONE, spki what the certificate holds. To show what can't be used;
 * trust_evaluate refuses it. */
ERRFN ek_parse_for_display(struct view sent, struct ek **out_ek);

/* Takes the next certificate off the front of an NV area, without what is wrapped around it, whose
 * EK_QUIRK_ bits are added to *quirks. An area may hold several, for example an RSA and an ECC one;
 * ek_parse reads each, and by itself only the first. Errors: NOT_FOUND when nothing but padding is
 * left; EK_UNREADABLE, `area` then begins where reading stopped. */
ERRFN ek_area_next(struct view *area, struct view *out_certificate, uint32_t *quirks);

/* Takes algorithms from the EK's own TPM2B_PUBLIC or TPMT_PUBLIC. Errors: EK_UNREADABLE,
 * EK_MISMATCH when it holds another key, EK_TEMPLATE unless it is restricted, decrypting, not
 * signing, fixedTPM, fixedParent, sensitiveDataOrigin, named by SHA-256, SHA-384 or SHA-512 and
 * protects its children with AES-128 or AES-256 in CFB mode. */
ERRFN ek_set_public_area(struct ek *ek, struct view tpm2b_public);

/* Whether 96 or 64 lower- or upper-case hex digits are SHA-384 or SHA-256 over the key's
 * SubjectPublicKeyInfo, the certificate, or the bytes as sent. Constant time in the content. */
bool ek_fingerprint_matches(const struct ek *ek, struct view hex_text);

/* "RSA-2048" … "P-521". */
const char *ek_key_name(enum ek_key key);

/* A sentence fragment for one bit of quirks, for example "unsorted name"; NULL for a bit without
 * meaning. */
const char *ek_quirk_name(enum ek_quirk quirk);

void ek_free(struct ek *ek);
AUTO_DEFINE(ek, struct ek, ek_free);

#endif
