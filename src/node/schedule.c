#include "node/schedule.h"

enum {
    DOUBLINGS_MAX = 4, /* 16 minutes from a poll of a minute, which SCHEDULE_SLOWEST_POLL_S cuts */
    RENEW_THIRDS = 2,  /* a third of the life is left to try again in */
    EARLY_PART = 12,
    DICE_SIDES = 1024
};

static uint64_t between(uint64_t least, uint64_t most, uint32_t dice)
{
    return least + (most - least) * (dice % DICE_SIDES) / DICE_SIDES;
}

static uint64_t left(uint64_t due, uint64_t now)
{
    return due > now ? due - now : 0;
}

/* What utc says is left out when it can't be right: before the beginning, or, of a certificate that
 * was past its end when it was issued, past its end. */
static bool clock_believed(const struct schedule_certificate *c, uint64_t utc_ms)
{
    return utc_ms >= c->from_ms && !(c->clock_doubted && utc_ms >= c->until_ms);
}

uint64_t schedule_renewal_ms(const struct schedule_certificate *c, struct schedule_clock now)
{
    if (!c->held || c->until_ms <= c->from_ms) {
        return 0;
    }
    uint64_t life = c->until_ms - c->from_ms;
    uint64_t latest = life / 3 * RENEW_THIRDS;
    uint64_t age = between(latest - life / EARLY_PART, latest, c->dice);
    uint64_t by_age = left(c->since_ms + left(age, c->age_ms), now.elapsed_ms);
    uint64_t by_date = left(c->from_ms + age, now.utc_ms);
    return clock_believed(c, now.utc_ms) && by_date < by_age ? by_date : by_age;
}

/* When the first certificate is due and may be renewed. */
static uint64_t renewal_in_ms(const struct schedule_facts *facts)
{
    uint64_t soonest = UINT64_MAX;
    for (size_t i = 0; i < facts->count && i < SCHEDULE_CERTIFICATES_MAX; i++) {
        uint64_t due = schedule_renewal_ms(&facts->certificates[i], facts->now);
        soonest = due < soonest ? due : soonest;
    }
    uint64_t allowed = left(facts->renew_at_ms, facts->now.elapsed_ms);
    return soonest > allowed ? soonest : allowed;
}

struct schedule_step schedule_next(const struct schedule_facts *facts)
{
    uint64_t attest = left(facts->attest_at_ms, facts->now.elapsed_ms);
    if (attest == 0) {
        return (struct schedule_step){.action = SCHEDULE_ATTEST};
    }
    uint64_t renew = facts->attested ? renewal_in_ms(facts) : UINT64_MAX;
    if (renew == 0) {
        return (struct schedule_step){.action = SCHEDULE_RENEW};
    }
    return (struct schedule_step){.wait_ms = renew < attest ? renew : attest};
}

uint64_t schedule_reattest_ms(uint32_t interval_s, uint32_t dice)
{
    uint64_t interval = (uint64_t)interval_s * 1000;
    return between(interval * 3 / 4, interval, dice);
}

uint64_t schedule_pause_ms(unsigned poll_s, unsigned failures, uint32_t retry_after_s,
                           uint32_t dice)
{
    unsigned doublings = failures < DOUBLINGS_MAX ? failures : DOUBLINGS_MAX;
    uint64_t base = (uint64_t)poll_s * 1000 << doublings;
    unsigned slowest = poll_s > SCHEDULE_SLOWEST_POLL_S ? poll_s : SCHEDULE_SLOWEST_POLL_S;
    uint64_t most = (uint64_t)slowest * 1000;
    base = base < most ? base : most;
    uint64_t jittered = between(base * 3 / 4, base * 5 / 4, dice);
    uint64_t least = (uint64_t)retry_after_s * 1000;
    return jittered > least ? jittered : least + jittered % 1000;
}
