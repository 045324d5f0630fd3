#include "signer/certificate_record.h"

#include <string.h>

struct ipc_certificate_record certificate_record(const struct certificate *c)
{
    struct ipc_certificate_record record = {
        .machine_id = view_text(c->machine_id),
        .kind = (uint8_t)c->kind,
        .name = view_text(c->name),
        .role = view_text(c->role),
        .not_before = c->not_before_ms,
        .not_after = c->not_after_ms,
        .revoked_at = c->revoked_ms,
        .revoked_reason = (uint8_t)c->revoked_reason,
    };
    memcpy(record.serial, c->serial, sizeof record.serial);
    memcpy(record.sha256, c->sha256, sizeof record.sha256);
    return record;
}
