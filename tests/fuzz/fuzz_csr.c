/* Requests, wrapping keys and certificates from nodes. The first byte chooses the reader; what is accepted has a key, and no file of a
 * fuzzer is signed by a CA that it does not know. */
#include "pki/csr.h"
#include "pki/presented.h"
#include "pki/spiffe.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_request(struct view der)
{
    AUTO(buf) spki = NULL;
    if (IS_OK(csr_parse(der, &spki)) != (spki != NULL)) {
        abort();
    }
}

static void read_wrapping_key(struct view der)
{
    EVP_PKEY *key = NULL;
    if (IS_OK(csr_wrapping_key_parse(der, &key)) != (key != NULL)) {
        abort();
    }
    EVP_PKEY_free(key);
}

/* A CA whose name and key nobody knows; it signs nothing. */
static const struct ca *unknown_ca(void)
{
    static struct ca ca;
    if (!ca.certificate) {
        ca.public_key = EVP_EC_gen("P-384");
        ca.certificate = X509_new();
    }
    return &ca;
}

static void read_certificate(struct view der)
{
    struct presented presented;
    if (IS_OK(presented_parse(unknown_ca(), der, 1767225600000, &presented))) {
        abort();
    }
}

/* Half template, half value: what comes out is a SPIFFE ID with as many segments as the template has. */
static void make_id(struct view text)
{
    char template[SPIFFE_TEMPLATE_SIZE];
    char value[129];
    char id[SPIFFE_ID_SIZE];
    size_t half = text.len / 2;
    if (!IS_OK(view_to_text(view_of(text.data, half), template, sizeof template)) ||
        !IS_OK(view_to_text(view_of(text.data + half, text.len - half), value, sizeof value)) || !spiffe_template_valid(template)) {
        return;
    }
    const struct spiffe_facts facts = {value, value, value, value, value, value, value, value, value};
    size_t slashes = 0;
    for (const char *c = template; *c; c++) {
        slashes += *c == '/';
    }
    if (IS_OK(spiffe_id_make("td", template, &facts, id))) {
        for (const char *c = id + strlen("spiffe://td"); *c; c++) {
            slashes -= *c == '/';
        }
        if (slashes != 0 || strstr(id, "/../") || strstr(id, "{")) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct view rest = view_of(data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        read_request(rest);
        break;
    case 1:
        read_wrapping_key(rest);
        break;
    case 2:
        read_certificate(rest);
        break;
    default:
        make_id(rest);
    }
    return 0;
}
