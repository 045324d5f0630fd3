#include "tpm/event_log_parts.h"

#include "tpm/little_endian.h"
#include "tpm/pcr.h"

#include <string.h>

enum { SIGNATURE_BYTES = 16, HCRTM_LOCALITY = 4 };

static bool starts_with(struct view data, const char *signature)
{
    return data.len >= SIGNATURE_BYTES && memcmp(data.data, signature, strlen(signature) + 1) == 0;
}

/* One entry of TCG_EfiSpecIdEventAlgorithmSize. A size that contradicts the algorithm would move
 * every boundary behind it. */
static const char *add_algorithm(struct event_log *log, uint16_t alg, uint16_t size)
{
    const struct event_bank *bank = event_bank_of(alg);
    if (size == 0 || (bank && bank->size != size)) {
        return "the header gives an algorithm a digest size that it does not have";
    }
    for (size_t i = 0; i < log->algorithm_count; i++) {
        if (log->algorithms[i].alg == alg) {
            return "the header lists an algorithm twice";
        }
    }
    log->algorithms[log->algorithm_count].alg = alg;
    log->algorithms[log->algorithm_count].size = size;
    log->algorithm_count++;
    log->banks |= event_bank_bit(alg);
    return NULL;
}

/* numberOfAlgorithms and digestSizes. */
static const char *read_algorithms(struct event_log *log, struct view *v)
{
    uint32_t count;
    if (!le_take_u32(v, &count)) {
        return "the header ends before its list of algorithms";
    }
    if (count == 0 || count > EVENT_LOG_ALGORITHMS_MAX) {
        return "the header lists no algorithm, or more than there are";
    }
    for (uint32_t i = 0; i < count; i++) {
        uint16_t alg;
        uint16_t size;
        if (!le_take_u16(v, &alg) || !le_take_u16(v, &size)) {
            return "the header ends inside its list of algorithms";
        }
        const char *wrong = add_algorithm(log, alg, size);
        if (wrong) {
            return wrong;
        }
    }
    return NULL;
}

/* Vendor information may be cut short by old firmware: nothing depends on it. */
static void read_vendor_info(struct event_log *log, struct view *v)
{
    uint8_t len;
    if (le_take_u8(v, &len)) {
        IGNORE_ERR(view_get_bytes(v, len < v->len ? len : v->len, &log->vendor_info, E(BUG)));
    }
}

static bool read_version(struct event_log *log, struct view *v)
{
    return le_take_u32(v, &log->platform_class) && le_take_u8(v, &log->spec_minor) &&
           le_take_u8(v, &log->spec_major) && le_take_u8(v, &log->spec_errata) &&
           le_take_u8(v, &log->uintn_size);
}

ERRFN event_log_read_header(struct event_log *log, const struct event_record *first, size_t at,
                            struct event_log_problem *out_problem)
{
    log->format = EVENT_LOG_SHA1;
    log->algorithm_count = 1;
    log->algorithms[0].alg = TPM_ALG_SHA1;
    log->algorithms[0].size = event_banks[0].size;
    log->banks = event_bank_bit(TPM_ALG_SHA1);
    bool agile = starts_with(first->data, "Spec ID Event03");
    bool legacy =
        starts_with(first->data, "Spec ID Event00") || starts_with(first->data, "Spec ID Event02");
    if (first->type != EV_NO_ACTION || (!agile && !legacy)) {
        bool possible = first->type == EV_NO_ACTION || first->pcr < PCR_COUNT;
        return possible ? OK
                        : event_log_refuse(out_problem, first->offset,
                                           "without a header, the first record names a PCR that no "
                                           "TPM has: this is no event log");
    }
    memcpy(log->signature, first->data.data, SIGNATURE_BYTES);
    struct view v = view_of(first->data.data + SIGNATURE_BYTES, first->data.len - SIGNATURE_BYTES);
    bool complete = read_version(log, &v);
    if (agile) {
        log->format = EVENT_LOG_CRYPTO_AGILE;
        log->algorithm_count = 0;
        log->banks = 0;
        const char *wrong =
            complete ? read_algorithms(log, &v) : "the header ends inside its version";
        if (wrong) {
            return event_log_refuse(out_problem, at + first->data.len - v.len, wrong);
        }
    }
    read_vendor_info(log, &v);
    return OK;
}

/* -- what the events say of the log itself ------------------------------------------- */

/* The first seventeen bytes count: some firmware pads the event. */
static void read_locality(struct event_log *log, const struct event_record *event)
{
    if (event->type == EV_NO_ACTION && !log->locality_given && event->data.len > SIGNATURE_BYTES &&
        starts_with(event->data, "StartupLocality")) {
        log->locality_given = true;
        log->startup_locality = event->data.data[SIGNATURE_BYTES];
    }
}

/* UEFI_VARIABLE_DATA of a variable that PFP wants in PCR 7 and the CC mapping in register 1
 * (UEFI 2.10 section 38.4.1). */
static bool is_secure_boot_variable(const struct event_record *event)
{
    static const uint8_t name[] = {'S', 0, 'e', 0, 'c', 0, 'u', 0, 'r', 0,
                                   'e', 0, 'B', 0, 'o', 0, 'o', 0, 't', 0};
    return event->type == EV_EFI_VARIABLE_DRIVER_CONFIG && event->data.len >= 32 + sizeof name &&
           memcmp(event->data.data + 32, name, sizeof name) == 0;
}

static bool may_be_cc(const struct event_log *log)
{
    return log->format == EVENT_LOG_CRYPTO_AGILE && log->algorithm_count == 1 &&
           !log->locality_given &&
           (log->algorithms[0].alg == TPM_ALG_SHA384 || log->algorithms[0].alg == TPM_ALG_SM3_256);
}

/* CC logs look like TPM logs with one bank, SHA-384 (TDX) or SM3 (CSV), in which only registers up
 * to 4 are extended: a TPM's log has separators in PCR 0 to 7. One of two things must be there
 * besides: what a TPM has in PCR 7, or the header, stands in register 1; or register 1 is extended,
 * and register 0, which PFP makes every TPM's log extend, is untouched. */
static bool is_cc(const struct event_log *log)
{
    if (!may_be_cc(log)) {
        return false;
    }
    bool in_register_1 = log->events[0].pcr == 1;
    bool register_1 = false;
    bool register_0 = false;
    for (size_t i = 0; i < log->count; i++) {
        const struct event_record *event = &log->events[i];
        if (!event_log_extends(log, event)) {
            continue;
        }
        if (event->pcr >= EVENT_LOG_CC_REGISTERS) {
            return false;
        }
        register_0 = register_0 || event->pcr == 0;
        in_register_1 = in_register_1 || (event->pcr == 1 && is_secure_boot_variable(event));
        register_1 = register_1 || event->pcr == 1;
    }
    return in_register_1 || (register_1 && !register_0);
}

void event_log_read_facts(struct event_log *log)
{
    bool hcrtm = false;
    for (size_t i = 0; i < log->count; i++) {
        read_locality(log, &log->events[i]);
        hcrtm = hcrtm || log->events[i].type == EV_EFI_HCRTM_EVENT;
    }
    /* An H-CRTM sequence leaves PCR 0 at 4 before its first extend (TPM 2.0 Part 1 section 34.3).
     */
    if (hcrtm && !log->locality_given) {
        log->startup_locality = HCRTM_LOCALITY;
    }
    log->cc = is_cc(log);
}

static void count_missing(struct event_log *log, const struct event_record *event)
{
    for (size_t i = 0; i < EVENT_BANK_COUNT; i++) {
        log->missing[i] += (log->banks >> i & 1) && event_log_lists(log, event_banks[i].alg) &&
                           event_log_digest(log, event, event_banks[i].alg).len == 0;
    }
}

void event_log_count_deviations(struct event_log *log, size_t from)
{
    uint32_t registers = log->cc ? EVENT_LOG_CC_REGISTERS : PCR_COUNT;
    for (size_t i = from; i < log->count; i++) {
        const struct event_record *event = &log->events[i];
        if (!event_log_extends(log, event)) {
            continue;
        }
        if (event->pcr < registers) {
            count_missing(log, event);
        } else {
            log->out_of_range++;
        }
    }
}
