#include "config/config.h"

#include <string.h>

struct list {
    struct config_violation *violations;
    size_t count;
};

static void add_if(struct list *list, bool is_weak, const char *setting, const char *why)
{
    if (is_weak && list->count < CONFIG_VIOLATIONS_MAX) {
        list->violations[list->count++] = (struct config_violation){setting, why};
    }
}

static bool has_role(const struct config_dual_control *dual_control, const char *role)
{
    for (size_t i = 0; i < dual_control->roles_count; i++) {
        if (strcmp(dual_control->roles[i], role) == 0) {
            return true;
        }
    }
    return false;
}

size_t
config_high_assurance_violations(const struct config *c,
                                 struct config_violation out_violations[CONFIG_VIOLATIONS_MAX])
{
    struct list list = {out_violations, 0};
    add_if(&list, !c->attestation.require_quote, "attestation.require_quote",
           "without a quote nothing is known about what a machine booted");
    add_if(&list, !c->attestation.require_nonce, "attestation.require_nonce",
           "without a nonce an old quote can be shown again");
    add_if(&list, !c->machine_config.sealed_delivery, "machine_config.sealed_delivery",
           "configurations would leave the appliance readable by whoever fetches them");
    add_if(&list, !has_role(&c->dual_control, "controlplane"), "dual_control.roles",
           "one operator alone could admit a control-plane machine; add controlplane");
    add_if(&list, c->dual_control.quorum < 2, "dual_control.quorum",
           "dual control needs two operators at least");
    add_if(&list, c->operator_grants != CONFIG_GRANTS_SIGNED, "operator.grants",
           "a stolen bearer token could approve machines; use signed");
    add_if(&list, c->pki.certificate_enrollment, "pki.certificate_enrollment",
           "a certificate says nothing about what a machine booted; let machines attest");
    add_if(&list, c->ek_trust.certificateless != CONFIG_CERTIFICATELESS_REFUSE,
           "ek_trust.certificateless",
           "a machine without an EK certificate or an allowed hash could be approved; use refuse");
    add_if(&list, c->ek_trust.roots_directory[0] == '\0' && c->ek_trust.allowed_hashes_count == 0,
           "ek_trust.roots_directory",
           "no EK can be trusted without roots; set it, or list ek_trust.allowed_hashes");
    return list.count;
}
