/* The commands as a table: what each is called, takes and does. */
#ifndef ITL_CLI_COMMAND_H
#define ITL_CLI_COMMAND_H

#include "cli/session.h"

/* Exit statuses of `attestation`; scripts depend on them. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREADABLE = 2,  /* evidence commands: a file that is not what it should be */
    EXIT_UNREACHABLE = 3, /* not reached, or not the server it should be */
    EXIT_NOT_LOGGED_IN = 4
};

struct command {
    const char *noun;
    const char *verb;
    const char
        *subject; /* what the verb is about, as in the usage line; NULL when it takes nothing */
    int subject_count; /* words in it */
    const char *usage; /* the options it takes */
    const char *summary;
    unsigned options; /* enum option_bit, beyond OPTIONS_GLOBAL */
    unsigned required;
    err_t (*run)(struct session *session, const struct options *options);
    /* In its place for what needs no appliance: works on files, prints, returns the exit status. */
    enum exit_status (*inspect)(const struct options *options);
};

/* NULL when there is none of this name. */
const struct command *command_find(const char *noun, const char *verb);

/* Every command with its options. */
void command_print_usage(FILE *out);

/* machine.c */
err_t machine_list(struct session *session, const struct options *options);
err_t machine_get(struct session *session, const struct options *options);
err_t machine_explain(struct session *session, const struct options *options);
err_t machine_evidence(struct session *session, const struct options *options);
err_t machine_export(struct session *session, const struct options *options);
err_t machine_approve(struct session *session, const struct options *options);

/* policy.c */
enum exit_status policy_validate(const struct options *options);
err_t policy_push(struct session *session, const struct options *options);
err_t policy_list(struct session *session, const struct options *options);
err_t policy_show(struct session *session, const struct options *options);
err_t policy_activate(struct session *session, const struct options *options);
err_t policy_rollback(struct session *session, const struct options *options);

/* policy_golden.c */
err_t policy_capture_baseline(struct session *session, const struct options *options);
err_t policy_simulate(struct session *session, const struct options *options);
enum exit_status policy_predict_baseline(const struct options *options);

/* policy_compare.c */
enum exit_status policy_compare(const struct options *options);
/* certificate.c */
err_t certificate_list(struct session *session, const struct options *options);
err_t certificate_revoke(struct session *session, const struct options *options);

/* machine_act.c */
err_t machine_lock(struct session *session, const struct options *options);
err_t machine_unlock(struct session *session, const struct options *options);
err_t machine_revoke(struct session *session, const struct options *options);
err_t machine_reject(struct session *session, const struct options *options);
err_t machine_delete(struct session *session, const struct options *options);
err_t machine_wipe_ack(struct session *session, const struct options *options);

/* evidence_quote.c */
enum exit_status evidence_quote(const struct options *options);

/* evidence_ek.c */
enum exit_status evidence_ek(const struct options *options);

#endif
