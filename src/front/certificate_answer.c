#include "front/certificate_answer.h"

#include "front/names.h"

void certificate_put(struct json_writer *w, const char *name,
                     const struct ipc_certificate_record *c)
{
    json_open(w, name, '{');
    json_put_hex(w, "serial", view_of(c->serial, sizeof c->serial));
    json_put_text(w, "machine_id", c->machine_id);
    json_put_text(w, "kind", view_text(certificate_kind_name(c->kind)));
    json_put_text(w, "name", c->name);
    json_put_text(w, "role", c->role);
    json_put_hex(w, "sha256", view_of(c->sha256, sizeof c->sha256));
    json_put_time(w, "not_before", c->not_before);
    json_put_time(w, "not_after", c->not_after);
    json_put_time(w, "revoked_at", c->revoked_at);
    json_put_text_or_null(
        w, "revoked_reason",
        view_text(c->revoked_at ? revocation_reason_name(c->revoked_reason) : ""));
    json_close(w, '}');
}
