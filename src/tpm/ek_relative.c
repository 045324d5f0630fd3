#include "tpm/ek_diagnosis.h"

#include "tpm/der.h"

enum { CONTEXT_0 = 0xA0, CONTEXT_2 = 0xA2 };

/* Private keys begin with a small version number, and nothing that is no key has these behind it;
 * an RSAPublicKey is two numbers and nothing else. */
static enum ek_relative number_first(struct view rest)
{
    struct view content;
    struct view exponent = rest;
    if (der_take_content(&exponent, DER_INTEGER, &content) && exponent.len == 0) {
        return EK_RELATIVE_PUBLIC_KEY;
    }
    if (der_tag(rest) == DER_INTEGER || der_tag(rest) == DER_OCTET_STRING) {
        return EK_RELATIVE_PRIVATE_KEY;
    }
    if (der_tag(rest) == DER_SEQUENCE && der_take_any(&rest, &content) &&
        der_tag(content) == DER_OID && der_tag(rest) == DER_OCTET_STRING) {
        return EK_RELATIVE_PRIVATE_KEY;
    }
    return EK_RELATIVE_NONE;
}

/* What is signed in X.509 and its relatives: `info` is the content of the first of three values. */
static enum ek_relative signed_info(struct view info)
{
    struct view content;
    struct view second;
    if (der_tag(info) == CONTEXT_0) {
        return EK_RELATIVE_CERTIFICATE;
    }
    bool versioned = der_tag(info) == DER_INTEGER && der_take_any(&info, &content);
    if (der_tag(info) != DER_SEQUENCE || !der_take_any(&info, &second)) {
        return EK_RELATIVE_NONE;
    }
    if (versioned && der_tag(second) >= CONTEXT_0 && der_tag(second) <= CONTEXT_2) {
        return EK_RELATIVE_ATTRIBUTE_CERTIFICATE; /* Holder */
    }
    if (versioned && der_tag(second) != DER_OID) {
        return EK_RELATIVE_REQUEST; /* a subject */
    }
    /* An issuer, then either the validity, which is a SEQUENCE, or the time of a list. */
    if (!der_take_any(&info, &content)) {
        return EK_RELATIVE_NONE;
    }
    return der_tag(info) == DER_SEQUENCE ? EK_RELATIVE_CERTIFICATE : EK_RELATIVE_CRL;
}

enum ek_relative ek_relative_of(struct view der)
{
    struct view body;
    struct view first;
    if (der_tag(der) != DER_SEQUENCE || !der_take_any(&der, &body)) {
        return EK_RELATIVE_NONE;
    }
    uint8_t begins = der_tag(body);
    if (begins == DER_OID) {
        return EK_RELATIVE_PKCS7;
    }
    if (!der_take_any(&body, &first)) {
        return EK_RELATIVE_NONE;
    }
    if (begins == DER_INTEGER) {
        return number_first(body);
    }
    if (begins != DER_SEQUENCE) {
        return EK_RELATIVE_NONE;
    }
    if (der_tag(first) == DER_OID && der_tag(body) == DER_BIT_STRING) {
        return EK_RELATIVE_PUBLIC_KEY;
    }
    return der_tag(body) == DER_SEQUENCE ? signed_info(first) : EK_RELATIVE_NONE;
}

const char *ek_relative_name(enum ek_relative relative)
{
    switch (relative) {
    case EK_RELATIVE_NONE:
        return NULL;
    case EK_RELATIVE_CERTIFICATE:
        return "an X.509 certificate";
    case EK_RELATIVE_ATTRIBUTE_CERTIFICATE:
        return "an X.509 attribute certificate, as platform certificates are";
    case EK_RELATIVE_CRL:
        return "a certificate revocation list";
    case EK_RELATIVE_REQUEST:
        return "a certificate request";
    case EK_RELATIVE_PKCS7:
        return "a PKCS#7 structure";
    case EK_RELATIVE_PRIVATE_KEY:
        return "a private key";
    case EK_RELATIVE_PUBLIC_KEY:
        return "a public key";
    }
    return NULL;
}
