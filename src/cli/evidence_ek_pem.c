#include "cli/evidence_ek_parts.h"

#include <string.h>

#include "tpm/pem.h"

/* Others stand in bundles too: revocation lists, parameters. */
static bool is_ek_label(const struct pem_block *block)
{
    static const char *const labels[] = {PEM_PKCS7, PEM_PKCS7_OLD, PEM_PUBLIC_KEY,
                                         PEM_RSA_PUBLIC_KEY};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(block->label, labels[i]) == 0) {
            return true;
        }
    }
    return pem_is_certificate(block);
}

static ERRFN read_block(struct pem_reader *reader, struct ek_evidence *evidence)
{
    struct pem_block block;
    size_t before = pem_offset(reader);
    err_t read = pem_next(reader, &block);
    if (IS_E(read, FIELD_INVALID)) {
        evidence->fault = (struct ek_diagnosis){
            .offset = before,
            .what = "a PEM block begins behind here that is damaged or encrypted"};
        return E(EK_UNREADABLE);
    }
    TRY(read);
    AUTO(buf) der = block.der;
    struct ek_diagnosis earlier = evidence->fault;
    read = ek_evidence_from_bytes(buf_view(der), evidence);
    if (!IS_E(read, EK_UNREADABLE)) {
        return read;
    }
    evidence->fault.offset = before;
    if (is_ek_label(&block)) {
        return read;
    }
    evidence->fault = earlier.what ? earlier : evidence->fault;
    return OK;
}

ERRFN ek_evidence_from_pem(struct view text, struct ek_evidence *evidence)
{
    struct pem_reader reader = pem_open(text);
    err_t read;
    do {
        read = read_block(&reader, evidence);
    } while (IS_OK(read));
    if (!IS_E(read, NOT_FOUND)) {
        return read;
    }
    if (evidence->count == 0) {
        evidence->fault.what =
            evidence->fault.what ? evidence->fault.what : "no whole PEM block is in it";
        return E(EK_UNREADABLE);
    }
    return OK;
}
