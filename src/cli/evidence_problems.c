#include "cli/evidence_problems.h"

#include <stdio.h>

#include "base/clock.h"

enum { SENTENCE_SIZE = 768 };

static const char *sentence_of(enum trust_finding finding)
{
    switch (finding) {
    case TRUST_FINDING_NONE:
    case TRUST_FINDING_COUNT:
        return NULL;
    case TRUST_FINDING_NO_CERTIFICATE:
        return "No certificate: it is a bare public key, and nothing says that a TPM holds it.";
    case TRUST_FINDING_ISSUER_UNKNOWN:
        return "The issuer is not among the CA certificates given.";
    case TRUST_FINDING_SIGNATURE:
        return "The signature does not verify with the key of the CA that is named as its issuer.";
    case TRUST_FINDING_WEAK_SIGNATURE:
        return "A signature on the way to the root is made with SHA-1 or another hash that is not "
               "accepted.";
    case TRUST_FINDING_ISSUER_NOT_CA:
        return "The issuer may not issue certificates: it is no CA.";
    case TRUST_FINDING_ISSUER_KEY:
        return "The issuer's key is too small or of a type that is not accepted.";
    case TRUST_FINDING_ISSUER_NOT_VALID:
        return "The issuer's certificate was not valid when the EK certificate was issued, nor is "
               "it now.";
    case TRUST_FINDING_ISSUER_EXTENSION:
        return "The issuer's certificate has a critical extension that is not understood, or one "
               "twice.";
    case TRUST_FINDING_PATH_LENGTH:
        return "More CAs stand below an issuer than it allows, or more than eight.";
    case TRUST_FINDING_NAME_CONSTRAINT:
        return "A name in the chain is outside what an issuer may certify.";
    case TRUST_FINDING_EK_IS_CA:
        return "Not an EK certificate: it is a CA's.";
    case TRUST_FINDING_EK_NOT_YET_VALID:
        return "The certificate is not yet valid.";
    case TRUST_FINDING_EK_VALIDITY:
        return "The certificate ends before it begins.";
    case TRUST_FINDING_EK_KEY_USAGE:
        return "Not an EK certificate: its key usage is that of a signing key (an AK, a server) or "
               "does not fit the key.";
    case TRUST_FINDING_EK_PURPOSE:
        return "Not an EK certificate: it lacks the extended key usage 2.23.133.8.1, as AK, "
               "platform and server certificates do.";
    case TRUST_FINDING_EK_EXTENSION:
        return "The certificate has a malformed extension, a critical one that is not understood, "
               "or one twice.";
    case TRUST_FINDING_EK_VERSION:
        return "Not an EK certificate: it is not of X.509 version 3, the first with extensions.";
    case TRUST_FINDING_EK_TPM12:
        return "Not an EK of a TPM 2.0: its specification attribute says TPM 1.2.";
    case TRUST_FINDING_EK_KEY:
        return "The key is of a type or size that is not accepted; RSA of 2048, 3072 or 4096 bits, "
               "P-256, P-384 and P-521 are.";
    }
    return NULL;
}

ERRFN evidence_problem_add(json_t *list, const char *word, const char *sentence)
{
    char text[SENTENCE_SIZE];
    snprintf(text, sizeof text, "%s: %s", word, sentence);
    ENSURE(json_array_append_new(list, json_string(text)) == 0, NO_MEMORY);
    return OK;
}

static ERRFN add_unknown_issuer(json_t *list, const struct trust_verdict *verdict)
{
    char text[SENTENCE_SIZE];
    snprintf(text, sizeof text, "The issuer is not among the CA certificates given: %s.",
             verdict->missing);
    return evidence_problem_add(list, trust_finding_name(TRUST_FINDING_ISSUER_UNKNOWN), text);
}

static ERRFN add_expired(json_t *list, const struct ek *ek)
{
    char text[SENTENCE_SIZE];
    char until[CLOCK_TEXT_SIZE];
    clock_format(ek->valid_until_ms, until);
    snprintf(text, sizeof text,
             "The certificate expired at %s; a factory certificate may, so this is a fact and "
             "refuses nothing.",
             until);
    return evidence_problem_add(list, "expired", text);
}

ERRFN evidence_problems_add(json_t *list, const struct ek *ek, const struct trust_verdict *verdict)
{
    for (int i = TRUST_FINDING_NONE + 1; i < TRUST_FINDING_COUNT; i++) {
        enum trust_finding finding = (enum trust_finding)i;
        if (!(verdict->findings & 1U << i)) {
            continue;
        }
        if (finding == TRUST_FINDING_ISSUER_UNKNOWN && verdict->missing[0]) {
            TRY(add_unknown_issuer(list, verdict));
        } else {
            TRY(evidence_problem_add(list, trust_finding_name(finding), sentence_of(finding)));
        }
    }
    return verdict->expired ? add_expired(list, ek) : OK;
}
