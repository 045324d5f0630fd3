/* Handshakes as a compromised front might tell them. The input is either a handshake by itself, or replaces bytes of a genuine one:
 * two bytes of offset, one of length, then the bytes, again and again. Nothing but the genuine one is believed. */
#include "pki/handshake.h"
#include "pki/tls_pair.h"

#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *server_key;
static EVP_PKEY *client_key;
static struct buf *genuine;

/* After a retry, so that every kind of message is there. */
static void shake(void)
{
    static const uint8_t anchor[HANDSHAKE_ANCHOR_BYTES] = {1};
    server_key = EVP_EC_gen("P-384");
    client_key = EVP_EC_gen("P-384");
    X509 *server = tls_pair_self_signed(server_key);
    X509 *client = tls_pair_self_signed(client_key);
    const struct tls_pair pair = {server, server_key, client, client_key, "X25519:P-384", view_of(anchor, sizeof anchor)};
    genuine = tls_pair_shake(&pair);
    X509_free(server);
    X509_free(client);
}

static bool is_believed(struct view messages)
{
    struct handshake h;
    const struct presented presented = {.key = client_key};
    return IS_OK(handshake_parse(messages, TLS_PAIR_EXTENSION, &h)) && IS_OK(handshake_check_server(&h, server_key)) &&
           IS_OK(handshake_check_client(&h, &presented));
}

static void replace(struct buf *altered, struct view edits)
{
    uint16_t offset;
    uint8_t len;
    struct view bytes;
    while (IS_OK(view_get_u16(&edits, &offset, E(WIRE))) && IS_OK(view_get_u8(&edits, &len, E(WIRE))) &&
           IS_OK(view_get_bytes(&edits, len, &bytes, E(WIRE)))) {
        if ((size_t)offset + len <= altered->len && len > 0) {
            memcpy(altered->data + offset, bytes.data, len);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!genuine) {
        shake();
    }
    if (size == 0) {
        return 0;
    }
    struct view rest = view_of(data + 1, size - 1);
    if (data[0] % 2 == 0) {
        if (is_believed(rest)) {
            abort();
        }
        return 0;
    }
    struct buf *altered;
    if (!IS_OK(buf_copy(buf_view(genuine), &altered))) {
        return 0;
    }
    replace(altered, rest);
    if (is_believed(buf_view(altered)) != view_equal(buf_view(altered), buf_view(genuine))) {
        abort();
    }
    buf_free(altered);
    return 0;
}
