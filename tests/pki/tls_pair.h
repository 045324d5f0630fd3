/* A TLS 1.3 server that asks for a certificate, and a client that has one, in this process: what they say to each other. */
#ifndef ITL_TESTS_PKI_TLS_PAIR_H
#define ITL_TESTS_PKI_TLS_PAIR_H

#include <openssl/types.h>

#include "base/bytes.h"

enum { TLS_PAIR_EXTENSION = 0xff4c };

struct tls_pair {
    X509 *server_certificate;
    EVP_PKEY *server_key;
    X509 *client_certificate; /* NULL: the client shows none */
    EVP_PKEY *client_key;
    const char *client_groups; /* the server has P-384 only; another one first makes it ask again */
    struct view anchor;        /* in the CertificateRequest; empty for none */
};

/* Shakes hands. Returns every handshake message that the server saw or sent, from ClientHello to the client's CertificateVerify, or to its
 * Certificate when it is empty. Fails the process when they don't get on. */
struct buf *tls_pair_shake(const struct tls_pair *pair);

/* A certificate of this key that it signed itself: a server's. */
X509 *tls_pair_self_signed(EVP_PKEY *key);

#endif
