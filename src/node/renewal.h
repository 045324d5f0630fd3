/* Which certificates a node holds, and which of them are due. */
#ifndef ITL_NODE_RENEWAL_H
#define ITL_NODE_RENEWAL_H

#include "node/certificate_check.h"
#include "node/certificate_set.h"
#include "node/schedule.h"

/* All zero before the first look. */
struct renewal {
    struct schedule_certificate certificates[CERTIFICATE_KINDS];
    char machine_id[CERTIFICATE_NAME_SIZE]; /* of the last verdict, "" before the first: what */
    char role[CERTIFICATE_NAME_SIZE];       /* certificates must name to be of use */
    bool svids_off;       /* the appliance issues none, as it said since the last verdict */
    unsigned failures;    /* in a row */
    uint64_t next_at_ms;  /* none before, in elapsed time */
    char vain_reason[64]; /* what a request was refused for right after attesting: attesting once
                             more does not cure that. "" for nothing */
};

struct schedule_clock renewal_clock(void);

/* Reads what is on disk: it may have been renewed by another run, or removed. Of kinds that were
 * `obtained` just now (NULL for none) it also notes whether this machine's clock agrees. */
void renewal_look(struct renewal *renewal, const char *prefix,
                  const bool obtained[CERTIFICATE_KINDS]);

/* The verdict's machine and role; texts of at most 64 characters. */
void renewal_expect(struct renewal *renewal, const char *machine_id, const char *role);

/* Whether a certificate is one for the machine and role expected: what names another is revoked, or
 * will be. An SVID need not name them. */
bool renewal_fits(const struct renewal *renewal, enum certificate_kind kind,
                  const struct certificate_facts *facts);

bool renewal_is_due(const struct renewal *renewal, enum certificate_kind kind);

/* Notes that everything due was renewed, or that something failed, and when to come again: after
 * poll_s seconds at the earliest, later after failures, never before retry_after_s (0 for not
 * said). */
void renewal_done(struct renewal *renewal, bool good, unsigned poll_s, uint32_t retry_after_s);

#endif
