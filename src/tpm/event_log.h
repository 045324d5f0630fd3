/* Firmware event logs: what was extended into which PCR, in order (TCG PC Client Platform Firmware
 * Profile 1.06 section 10). A log is a claim of the machine about itself: only its digests are
 * proved, by replaying them against quoted PCRs (event_replay.h), and of its data only what those
 * digests cover (event_claims.h). */
#ifndef ITL_TPM_EVENT_LOG_H
#define ITL_TPM_EVENT_LOG_H

#include "base/bytes.h"
#include "tpm/event_bank.h"
#include "tpm/event_type.h"

enum {
    EVENT_LOG_MAX_BYTES = 16 << 20, /* of files on a desk; 512 KiB go over the wire */
    EVENT_LOG_ALGORITHMS_MAX = 16,  /* the registry has 8 hashes; a header with more is no header */
    EVENT_LOG_SIGNATURE_SIZE = 17,  /* "Spec ID Event03", 16 bytes, and a NUL */
    EVENT_LOG_CC_REGISTERS = 5 /* CC measurement registers: 0 is MRTD, 1 to 4 are RTMR0 to RTMR3 */
};

enum event_log_format {
    EVENT_LOG_NONE = 0,
    EVENT_LOG_SHA1, /* TCG_PCClientPCREvent: with "Spec ID Event00", "Event02" or no header */
    EVENT_LOG_CRYPTO_AGILE /* TCG_PCR_EVENT2 behind "Spec ID Event03" */
};

/* One record. Views point into the bytes parsed. */
struct event_record {
    uint32_t pcr; /* of a CC log: the measurement register */
    uint32_t type;
    size_t offset; /* where it starts in the log; of userspace's that was given apart, in that */
    struct view digests; /* as in the log; read them with event_log_digest */
    struct view data;
    const char *userspace; /* of userspace_log.h: "phase", …; NULL for what the firmware logged */
};

struct event_log {
    enum event_log_format format;
    bool cc;      /* a confidential-computing log (CCEL): registers instead of PCRs */
    size_t count; /* the header is event 0 */
    struct event_record *events;

    /* Header. signature is "" for a log without one. */
    char signature[EVENT_LOG_SIGNATURE_SIZE];
    uint32_t platform_class;
    uint8_t spec_major, spec_minor, spec_errata;
    uint8_t uintn_size; /* 1 for 32-bit firmware, 2 for 64-bit */
    struct view vendor_info;
    size_t algorithm_count;
    struct {
        uint16_t alg;
        uint16_t size; /* as the header says: algorithms we don't know are skipped by it */
    } algorithms[EVENT_LOG_ALGORITHMS_MAX];
    uint32_t banks; /* bit i: event_banks[i] is listed, or an event has a digest in it */

    bool locality_given;      /* a StartupLocality event is there */
    uint8_t startup_locality; /* PCR 0 starts at it */

    /* userspace_log.h. Its events stand behind the firmware's and extend on what those did. */
    struct buf *userspace;    /* owns what they point into; NULL without one */
    size_t userspace_count;   /* the last of events */
    size_t userspace_records; /* with those of NV indexes, which are no events */
    size_t userspace_nv;
    bool userspace_boots_differ; /* records of several boots stand in one log */

    /* What deviates, none of it an error. */
    size_t padding_bytes;             /* 0x00 or 0xFF behind the last event */
    size_t final_events;              /* of an EFI final events table that follows the log */
    size_t final_events_repeated;     /* of those, what the log had already; dropped */
    size_t missing[EVENT_BANK_COUNT]; /* events without a digest in a bank that the header lists */
    size_t out_of_range; /* extending events of PCRs that don't exist; they are not replayed */
};

/* Why a log was refused: byte offset, a sentence fragment, and where a size does not fit what it
 * needs and what is left (both 0 otherwise). */
struct event_log_problem {
    size_t event; /* the number it would have */
    size_t offset;
    const char *reason;
    uint64_t needed;
    size_t left;
};

/* Reads a whole log in one pass; `bytes` must outlive it. Nothing but 0x00 and 0xFF up to the end
 * is padding; the EFI final events table may follow as it stands in memory, and userspace's log
 * (userspace_log.h); anything else that is not an event is an error, a second log too. Takes memory
 * in proportion to the log. Errors: EVENT_LOG_UNREADABLE with out_problem filled, TOO_LONG past
 * EVENT_LOG_MAX_BYTES or what userspace's log may have, NO_MEMORY. */
ERRFN event_log_parse(struct view bytes, struct event_log **out_log,
                      struct event_log_problem *out_problem);

/* An event's digest in this bank, empty when it has none. */
struct view event_log_digest(const struct event_log *log, const struct event_record *event,
                             uint16_t alg);

/* Whether the event changes a register: everything but EV_NO_ACTION and the header. */
bool event_log_extends(const struct event_log *log, const struct event_record *event);

/* Whether the header lists this algorithm; a SHA-1 log lists SHA-1. */
bool event_log_lists(const struct event_log *log, uint16_t alg);

/* The bank that claims are read in when no quote says which: SHA-256 where the log lists it, else
 * the strongest it lists. TPM_ALG_NONE when it lists none we know. */
uint16_t event_log_preferred_bank(const struct event_log *log);

/* "crypto-agile" or "sha1". */
const char *event_log_format_name(enum event_log_format format);

void event_log_free(struct event_log *log);
AUTO_DEFINE(event_log, struct event_log, event_log_free);

#endif
