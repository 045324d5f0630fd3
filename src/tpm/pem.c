#include "tpm/pem.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";
static const char dashes[] = "-----";

static bool is_control(uint8_t byte)
{
    return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r' && byte != '\f';
}

static const uint8_t *find(struct view text, const char *what)
{
    return text.len > 0 ? memmem(text.data, text.len, what, strlen(what)) : NULL;
}

static void skip_to(struct view *text, const uint8_t *at)
{
    *text = view_of(at, text->len - (size_t)(at - text->data));
}

bool pem_is(struct view sent)
{
    const uint8_t *at = find(sent, begin);
    for (const uint8_t *p = sent.data; at && p < at; p++) {
        if (is_control(*p)) {
            return false;
        }
    }
    return at;
}

struct pem_reader pem_open(struct view text)
{
    return (struct pem_reader){.rest = text, .len = text.len};
}

size_t pem_offset(const struct pem_reader *reader)
{
    return reader->len - reader->rest.len;
}

bool pem_is_certificate(const struct pem_block *block)
{
    return strcmp(block->label, PEM_CERTIFICATE) == 0 ||
           strcmp(block->label, PEM_CERTIFICATE_OLD) == 0;
}

/* What stands before the next dashes, which are left where they are. */
static bool take_before_dashes(struct view *text, struct view *out_before)
{
    const uint8_t *at = find(*text, dashes);
    if (!at) {
        return false;
    }
    *out_before = view_of(text->data, (size_t)(at - text->data));
    skip_to(text, at);
    return true;
}

static ERRFN take_label(struct view *text, char out_label[static PEM_LABEL_SIZE])
{
    struct view label;
    ENSURE(take_before_dashes(text, &label), FIELD_INVALID);
    skip_to(text, text->data + sizeof dashes - 1);
    ENSURE(label.len > 0 && IS_OK(view_to_text(label, out_label, PEM_LABEL_SIZE)), FIELD_INVALID);
    return OK;
}

/* The dashes that a body ends at must be those of its own end. */
static bool take_end(struct view *text, const char *label)
{
    char line[sizeof end + PEM_LABEL_SIZE + sizeof dashes];
    int len = snprintf(line, sizeof line, "%s%s%s", end, label, dashes);
    bool own = text->len >= (size_t)len && memcmp(text->data, line, (size_t)len) == 0;
    if (own) {
        skip_to(text, text->data + len);
    }
    return own;
}

/* White space, quotation marks, and what stands for white space between them. */
static bool means_nothing(struct view body, size_t at)
{
    switch (body.data[at]) {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case '\f':
    case '"':
    case '\\':
        return true;
    case 'n':
    case 'r':
    case 't':
        return at > 0 && body.data[at - 1] == '\\';
    }
    return false;
}

static ERRFN decode(struct view body, struct buf **out_der)
{
    AUTO(buf) base64 = NULL;
    AUTO(buf) der = NULL;
    uint8_t *at;
    size_t len = 0;
    TRY(buf_new(body.len, &base64));
    TRY(buf_new(body.len, &der));
    TRY(buf_extend(base64, body.len, &at));
    for (size_t i = 0; i < body.len; i++) {
        if (!means_nothing(body, i)) {
            at[len++] = body.data[i];
        }
    }
    buf_truncate(base64, len);
    ENSURE(IS_OK(base64_decode(buf_view(base64), der)) && der->len > 0, FIELD_INVALID);
    *out_der = STEAL(der);
    return OK;
}

ERRFN pem_next(struct pem_reader *reader, struct pem_block *out_block)
{
    struct pem_block block = {0};
    struct view body;
    const uint8_t *at = find(reader->rest, begin);
    if (!at) {
        reader->rest = view_of(reader->rest.data + reader->rest.len, 0);
        return E(NOT_FOUND);
    }
    skip_to(&reader->rest, at + sizeof begin - 1);
    TRY(take_label(&reader->rest, block.label));
    ENSURE(take_before_dashes(&reader->rest, &body), FIELD_INVALID);
    ENSURE(take_end(&reader->rest, block.label), FIELD_INVALID);
    TRY(decode(body, &block.der));
    *out_block = block;
    return OK;
}
