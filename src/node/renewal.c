#include "node/renewal.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

_Static_assert((int)CERTIFICATE_KINDS == (int)SCHEDULE_CERTIFICATES_MAX, "each has its schedule");

struct schedule_clock renewal_clock(void)
{
    return (struct schedule_clock){.elapsed_ms = clock_elapsed_ms(), .utc_ms = clock_utc_ms()};
}

bool renewal_fits(const struct renewal *renewal, enum certificate_kind kind,
                  const struct certificate_facts *facts)
{
    bool machine_fits = strcmp(facts->machine_id, renewal->machine_id) == 0;
    switch (kind) {
    case CERTIFICATE_ENROLLMENT:
        return machine_fits && strcmp(facts->role, renewal->role) == 0;
    case CERTIFICATE_SVID:
    case CERTIFICATE_KINDS:
        break;
    }
    return machine_fits || facts->machine_id[0] == '\0';
}

/* Of one that is found while the clock contradicts it nobody knows how old it is. */
static struct schedule_certificate held(const struct certificate_facts *facts, bool obtained)
{
    struct schedule_clock now = renewal_clock();
    bool in_time = now.utc_ms >= facts->from_ms && now.utc_ms < facts->until_ms;
    uint64_t found_age = in_time ? now.utc_ms - facts->from_ms : facts->until_ms - facts->from_ms;
    return (struct schedule_certificate){.held = true,
                                         .clock_doubted = obtained && !in_time,
                                         .from_ms = facts->from_ms,
                                         .until_ms = facts->until_ms,
                                         .since_ms = now.elapsed_ms,
                                         .age_ms = obtained ? 0 : found_age,
                                         .dice = random_u32()};
}

/* Also says whether the pair is one of another machine or role. */
static void look_at(struct renewal *renewal, size_t kind, const struct certificate_pair *pair,
                    bool obtained, bool *out_foreign)
{
    struct schedule_certificate *known = &renewal->certificates[kind];
    struct certificate_facts facts;
    bool good =
        pair->key && pair->certificate &&
        IS_OK(certificate_check(buf_view(pair->certificate), secret_view(pair->key), &facts));
    *out_foreign = good && renewal->machine_id[0] != '\0' &&
                   !renewal_fits(renewal, (enum certificate_kind)kind, &facts);
    if (!good || *out_foreign) {
        *known = (struct schedule_certificate){0};
    } else if (obtained || !known->held || known->from_ms != facts.from_ms ||
               known->until_ms != facts.until_ms) {
        *known = held(&facts, obtained);
    }
}

/* An SVID may name machine and role in ways of the appliance's own, so it goes the way of the
 * enrollment certificate beside it. A folder that can't be read holds nothing that anybody could
 * use; writing to it will say why. */
void renewal_look(struct renewal *renewal, const char *prefix,
                  const bool obtained[CERTIFICATE_KINDS])
{
    struct certificate_set set = {0};
    bool foreign[CERTIFICATE_KINDS];
    IGNORE_ERR(certificate_set_read(prefix, &set));
    for (size_t i = 0; i < CERTIFICATE_KINDS; i++) {
        look_at(renewal, i, &set.pairs[i], obtained && obtained[i], &foreign[i]);
    }
    if (foreign[CERTIFICATE_ENROLLMENT]) {
        renewal->certificates[CERTIFICATE_SVID] = (struct schedule_certificate){0};
    }
    certificate_set_clear(&set);
}

void renewal_expect(struct renewal *renewal, const char *machine_id, const char *role)
{
    snprintf(renewal->machine_id, sizeof renewal->machine_id, "%s", machine_id);
    snprintf(renewal->role, sizeof renewal->role, "%s", role);
    renewal->svids_off = false;
}

bool renewal_is_due(const struct renewal *renewal, enum certificate_kind kind)
{
    return !(kind == CERTIFICATE_SVID && renewal->svids_off) &&
           schedule_renewal_ms(&renewal->certificates[kind], renewal_clock()) == 0;
}

void renewal_done(struct renewal *renewal, bool good, unsigned poll_s, uint32_t retry_after_s)
{
    unsigned least_s = poll_s > 0 ? poll_s : 1;
    uint64_t pause =
        good ? (uint64_t)least_s * 1000
             : schedule_pause_ms(least_s, renewal->failures, retry_after_s, random_u32());
    renewal->failures = good ? 0 : renewal->failures + 1;
    renewal->next_at_ms = clock_elapsed_ms() + pause;
}
