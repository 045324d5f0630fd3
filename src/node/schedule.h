/* When the node agent does what next: pure functions of clocks, ends and dice (any number, thrown
 * by the caller).
 *
 * Two clocks. `elapsed` never steps and also runs while the machine is suspended: it says how old
 * something is. `utc` is what certificates end by; it may be wrong after a boot and step later.
 * Whichever says first that something is due is believed. */
#ifndef ITL_NODE_SCHEDULE_H
#define ITL_NODE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCHEDULE_SLOWEST_POLL_S = 600, /* failures in a row never make pauses longer, on average */
    SCHEDULE_CERTIFICATES_MAX = 2  /* an enrollment certificate and an SVID */
};

struct schedule_clock {
    uint64_t elapsed_ms;
    uint64_t utc_ms;
};

/* One certificate that is to be kept fresh. */
struct schedule_certificate {
    bool held;          /* false: there is none, or it is of no use; due at once */
    bool clock_doubted; /* it was outside its time by utc when it had just been issued */
    uint64_t from_ms;   /* notBefore, in utc */
    uint64_t until_ms;  /* notAfter, in utc */
    uint64_t since_ms;  /* when it was obtained or found, in elapsed */
    uint64_t age_ms;    /* how old it was then: 0 when obtained, all its life when unknown */
    uint32_t dice;      /* thrown once for each certificate */
};

/* How long until it is to be renewed: at two thirds of its life, or up to a twelfth of its life
 * before that, so that a fleet that booted together does not come together. 0 for now. */
uint64_t schedule_renewal_ms(const struct schedule_certificate *certificate,
                             struct schedule_clock now);

enum schedule_action { SCHEDULE_WAIT = 0, SCHEDULE_ATTEST, SCHEDULE_RENEW };

struct schedule_facts {
    struct schedule_clock now;
    bool attested;         /* the last attestation succeeded */
    uint64_t attest_at_ms; /* when to attest again, in elapsed */
    uint64_t renew_at_ms; /* no renewal before, in elapsed: least interval, back-off, Retry-After */
    size_t count;
    struct schedule_certificate certificates[SCHEDULE_CERTIFICATES_MAX];
};

struct schedule_step {
    enum schedule_action action;
    uint64_t wait_ms; /* for SCHEDULE_WAIT: until the next action, by these facts */
};

/* The next step. An attestation renews what is due as well, so it goes first; and while attesting
 * fails, certificates wait for it, for what hinders the one hinders the other. */
struct schedule_step schedule_next(const struct schedule_facts *facts);

/* Between three and four quarters of the interval, so before it is over. */
uint64_t schedule_reattest_ms(uint32_t interval_s, uint32_t dice);

/* The pause after a failure, the first of which is 0: three to five quarters of poll_s, doubled for
 * every failure in a row; never shorter than the appliance asked for (0 when it did not). */
uint64_t schedule_pause_ms(unsigned poll_s, unsigned failures, uint32_t retry_after_s,
                           uint32_t dice);

#endif
