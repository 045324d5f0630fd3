/* What claims are called where people read of changes, the weighty ones first. */
#ifndef ITL_TPM_CLAIM_WORDS_H
#define ITL_TPM_CLAIM_WORDS_H

#include <stddef.h>

struct claim_words {
    const char *name;
    const char *subject;
    const char *on;  /* the sentence when a switch went from false or nothing to true */
    const char *off; /* and back; both NULL for what is no switch */
};

/* Its place in that order; the same for all that have no words, behind the others. */
size_t claim_words_rank(const char *name);

/* NULL for a place behind the last. */
const struct claim_words *claim_words_at(size_t rank);

#endif
