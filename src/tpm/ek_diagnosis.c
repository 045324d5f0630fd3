#include "tpm/ek_diagnosis.h"

#include "tpm/certificate.h"
#include "tpm/der.h"
#include "tpm/ek.h"

#include <openssl/err.h>
#include <openssl/x509.h>

enum { CONTEXT_0 = 0xA0, CONTEXT_3 = 0xA3, CONSTRUCTED = 0x20, INDEFINITE = 0x80 };

/* The first value, at any depth, that does not fit into what it stands in. Constructed values are
 * entered by going on behind their header, so that nesting costs nothing. */
static const uint8_t *first_misfit(struct view value)
{
    enum { DEPTH_MAX = 32 };
    const uint8_t *ends[DEPTH_MAX];
    size_t depth = 0;
    struct view at = value;
    const uint8_t *end = value.data + value.len;
    while (at.data < end) {
        struct view content;
        struct view rest = at;
        if (!der_take_any(&rest, &content)) {
            return at.data;
        }
        if ((at.data[0] & CONSTRUCTED) && content.len > 0 && depth < DEPTH_MAX) {
            ends[depth++] = at.data + at.len;
            at = content;
            continue;
        }
        at = rest;
        while (at.len == 0 && depth > 0) {
            const uint8_t *outer = ends[--depth];
            at = view_of(at.data, (size_t)(outer - at.data));
        }
    }
    return NULL;
}

/* Takes one field of a certificate and says whether OpenSSL can read it. */
typedef bool readable(const uint8_t *at, long len);

static bool serial_readable(const uint8_t *at, long len)
{
    ASN1_INTEGER *serial = d2i_ASN1_INTEGER(NULL, &at, len);
    int bytes = serial ? ASN1_STRING_length(serial) : 0;
    ASN1_INTEGER_free(serial);
    return bytes > 0 && bytes <= EK_SERIAL_MAX_BYTES;
}

static bool name_readable(const uint8_t *at, long len)
{
    X509_NAME *name = d2i_X509_NAME(NULL, &at, len);
    X509_NAME_free(name);
    return name;
}

static bool extensions_readable(const uint8_t *at, long len)
{
    struct view outer = view_of(at, (size_t)len);
    struct view content;
    if (!der_take_any(&outer, &content)) {
        return false;
    }
    const uint8_t *inner = content.data;
    X509_EXTENSIONS *extensions = d2i_X509_EXTENSIONS(NULL, &inner, (long)content.len);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return extensions;
}

static bool time_readable(const uint8_t *at, long len)
{
    X509_VAL *validity = d2i_X509_VAL(NULL, &at, len);
    uint64_t ms;
    bool both = validity && certificate_time(validity->notBefore, &ms) &&
                certificate_time(validity->notAfter, &ms);
    X509_VAL_free(validity);
    return both;
}

static bool key_readable(const uint8_t *at, long len)
{
    X509_PUBKEY *key = d2i_X509_PUBKEY(NULL, &at, len);
    X509_PUBKEY_free(key);
    return key;
}

/* TBSCertificate, RFC 5280 section 4.1, field by field. */
static struct ek_diagnosis look_into_certificate(struct view der, const uint8_t *base)
{
    static const struct {
        uint8_t tag;
        readable *reads;
        const char *what;
    } fields[] = {
        {CONTEXT_0, NULL, "the certificate's version can't be read"},
        {DER_INTEGER, serial_readable, "the certificate's serial number can't be read"},
        {DER_SEQUENCE, NULL, "the certificate's signature algorithm can't be read"},
        {DER_SEQUENCE, name_readable, "the certificate's issuer can't be read"},
        {DER_SEQUENCE, time_readable, "the certificate's validity can't be read"},
        {DER_SEQUENCE, name_readable, "the certificate's subject can't be read"},
        {DER_SEQUENCE, key_readable, "the certificate's public key can't be read"},
        {CONTEXT_3, extensions_readable, "the certificate's extensions can't be read"},
    };
    struct view whole = der;
    struct view body;
    struct view info;
    if (!der_take_any(&whole, &body) || !der_take_any(&body, &info)) {
        return (struct ek_diagnosis){.what = "the certificate can't be read"};
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct view before = info;
        struct view content;
        bool optional = fields[i].tag >= CONTEXT_0;
        bool there = der_tag(info) == fields[i].tag && der_take_any(&info, &content);
        size_t len = before.len - info.len;
        if (!there ? !optional : fields[i].reads && !fields[i].reads(before.data, (long)len)) {
            return (struct ek_diagnosis){.offset = (size_t)(before.data - base),
                                         .what = fields[i].what};
        }
    }
    return (struct ek_diagnosis){.offset = (size_t)(der.data - base),
                                 .what = "the certificate's key can't be read"};
}

static struct ek_diagnosis diagnose_value(struct view value, const uint8_t *base)
{
    struct ek_diagnosis found = {.relative = ek_relative_of(value),
                                 .offset = (size_t)(value.data - base)};
    const uint8_t *misfit = first_misfit(value);
    if (misfit) {
        found.offset = (size_t)(misfit - base);
        found.what = "a DER value begins here that does not fit into the one around it";
    } else if (found.relative == EK_RELATIVE_CERTIFICATE) {
        struct ek_diagnosis inside = look_into_certificate(value, base);
        found.offset = inside.offset;
        found.what = inside.what;
    } else {
        found.what = ek_relative_name(found.relative);
    }
    found.what = found.what ? found.what : "a DER value begins here that is no certificate";
    return found;
}

static bool is_x509(struct view der)
{
    const uint8_t *end = der.data;
    X509 *cert = d2i_X509(NULL, &end, (long)der.len);
    bool whole = cert && end == der.data + der.len;
    X509_free(cert);
    return whole;
}

static struct ek_diagnosis diagnose(struct view sent)
{
    struct view area = sent;
    struct view value;
    struct view first = VIEW_EMPTY;
    uint32_t quirks = 0;
    err_t taken;
    while (IS_OK(taken = ek_area_next(&area, &value, &quirks))) {
        if (!is_x509(value)) {
            return diagnose_value(value, sent.data);
        }
        first = first.len > 0 ? first : value;
    }
    if (IS_E(taken, NOT_FOUND)) {
        return first.len > 0
                   ? diagnose_value(first, sent.data)
                   : (struct ek_diagnosis){.what = "nothing but padding: the area is empty"};
    }
    bool cut_short = der_tag(area) == DER_SEQUENCE;
    if (cut_short && area.len > 1 && area.data[1] == INDEFINITE) {
        return (struct ek_diagnosis){.offset = (size_t)(area.data - sent.data) + 1,
                                     .what = "a length is indefinite, which DER does not allow"};
    }
    return (struct ek_diagnosis){
        .offset = cut_short ? sent.len : (size_t)(area.data - sent.data),
        .what = cut_short ? "the bytes end inside a DER value"
                          : "neither DER nor padding nor a TPM public area begins here"};
}

struct ek_diagnosis ek_diagnose(struct view sent)
{
    if (sent.len == 0) {
        return (struct ek_diagnosis){.what = "empty"};
    }
    ERR_set_mark();
    struct ek_diagnosis found = diagnose(sent);
    ERR_pop_to_mark();
    return found;
}
