#include "tpm/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

static const char begin[] = "-----BEGIN ";

static bool is_control(uint8_t byte)
{
    return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r' && byte != '\f';
}

bool pem_is(struct view sent)
{
    const uint8_t *at = sent.len > 0 ? memmem(sent.data, sent.len, begin, sizeof begin - 1) : NULL;
    for (const uint8_t *p = sent.data; at && p < at; p++) {
        if (is_control(*p)) {
            return false;
        }
    }
    return at;
}

ERRFN pem_open(struct view text, struct pem_reader *out_reader)
{
    BIO *bio = BIO_new_mem_buf(text.len > 0 ? (const void *)text.data : "", (int)text.len);
    ENSURE(bio, NO_MEMORY);
    *out_reader = (struct pem_reader){.bio = bio, .len = text.len};
    return OK;
}

void pem_close(struct pem_reader *reader)
{
    BIO_free_all(reader->bio);
    reader->bio = NULL;
}

size_t pem_offset(const struct pem_reader *reader)
{
    return reader->len - BIO_ctrl_pending(reader->bio);
}

static ERRFN copy_block(const char *label, const char *header, struct view der,
                        struct pem_block *out_block)
{
    struct pem_block block = {0};
    ENSURE(header[0] == '\0' && strlen(label) < sizeof block.label, FIELD_INVALID);
    snprintf(block.label, sizeof block.label, "%s", label);
    TRY(buf_copy(der, &block.der));
    *out_block = block;
    return OK;
}

ERRFN pem_next(struct pem_reader *reader, struct pem_block *out_block)
{
    char *label = NULL;
    char *header = NULL;
    uint8_t *data = NULL;
    long len = 0;
    if (PEM_read_bio(reader->bio, &label, &header, &data, &len) != 1) {
        bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        return end ? E(NOT_FOUND) : E(FIELD_INVALID);
    }
    err_t copied = copy_block(label, header, view_of(data, (size_t)len), out_block);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return copied;
}
