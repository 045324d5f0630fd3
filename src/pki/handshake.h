/* What a TLS 1.3 handshake proves of the client (RFC 8446 sections 4 and 4.4), judged from its messages as somebody else saw them: that
 * whoever has the key of the client's certificate shook hands with the holder of the server's certificate, after the anchor was known. */
#ifndef ITL_PKI_HANDSHAKE_H
#define ITL_PKI_HANDSHAKE_H

#include "crypto/digest.h"
#include "pki/presented.h"

enum { HANDSHAKE_ANCHOR_BYTES = 32 };

/* Views into the messages. Nothing in it is believed before both checks below. */
struct handshake {
    struct view anchor;             /* what our CertificateRequest asked the client to sign with everything else */
    struct view server_certificate; /* DER, the first of each chain */
    struct view client_certificate;
    struct view signature;          /* the client's CertificateVerify: ecdsa_secp384r1_sha384 in DER */
    uint8_t transcript[SHA384_BYTES]; /* Transcript-Hash up to the client's Certificate, for TLS_AES_256_GCM_SHA384 */
};

/* The handshake messages of a server that asks for a certificate, with their headers and no records around them, from the first
 * ClientHello to the client's CertificateVerify and nothing after; with or without a HelloRetryRequest. The anchor is the extension of
 * that type in the CertificateRequest. Errors: CLIENT_CERTIFICATE_MISSING when the client sent an empty chain; CLIENT_PROOF_INVALID;
 * NO_MEMORY. */
ERRFN handshake_parse(struct view messages, uint16_t anchor_extension, struct handshake *out_handshake);

/* Whether the server was the one with this key: a client that meant somebody else signs for somebody else. Errors:
 * CLIENT_PROOF_INVALID. */
ERRFN handshake_check_server(const struct handshake *handshake, const EVP_PKEY *server_key);

/* Whether the client signed the transcript; `presented` was read from client_certificate. Errors: CLIENT_PROOF_INVALID. */
ERRFN handshake_check_client(const struct handshake *handshake, const struct presented *presented);

#endif
