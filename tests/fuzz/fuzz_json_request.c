/* Bodies of nodes: from bytes to the signer's messages. The first byte chooses the endpoint. */
#include "front/node_request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What decodes must encode: a message of ours that breaks a limit would be taken for an attack
 * by the signer. */
static void must_encode(err_t put)
{
    if (!IS_OK(put)) {
        abort();
    }
}

static void attest(struct fields *f, struct buf *out)
{
    struct ipc_attest_request r;
    if (IS_OK(node_request_attest(f, &r))) {
        r.source_ip = view_text("192.0.2.1");
        must_encode(ipc_put_attest_request(out, &r));
    }
}

static void challenge(struct fields *f, struct buf *out)
{
    struct ipc_challenge_request r;
    if (IS_OK(node_request_challenge(f, &r))) {
        r.source_ip = view_text("192.0.2.1");
        must_encode(ipc_put_challenge_request(out, &r));
    }
}

static void self_register(struct fields *f, struct buf *out)
{
    struct ipc_self_register_request r;
    if (IS_OK(node_request_register(f, &r))) {
        r.source_ip = view_text("192.0.2.1");
        must_encode(ipc_put_self_register_request(out, &r));
    }
}

static void certificate(struct fields *f, struct buf *out)
{
    struct ipc_request_cert_request r;
    if (IS_OK(node_request_certificate(f, &r))) {
        r.source_ip = view_text("192.0.2.1");
        must_encode(ipc_put_request_cert_request(out, &r));
    }
}

static void enroll(struct fields *f, struct buf *out)
{
    struct ipc_enroll_request r;
    if (IS_OK(node_request_enroll(f, &r))) {
        r.source_ip = view_text("192.0.2.1");
        must_encode(ipc_put_enroll_request(out, &r));
    }
}

static void ak_activate(struct fields *f, struct buf *out)
{
    struct ipc_ak_activate_request r;
    if (IS_OK(node_request_ak_activate(f, &r))) {
        r.source_ip = view_text("192.0.2.1");
        must_encode(ipc_put_ak_activate_request(out, &r));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const endpoints[])(struct fields *, struct buf *) = {
        attest, challenge, self_register, certificate, enroll, ak_activate};
    static struct fields fields;
    AUTO(buf) out = NULL;
    if (size == 0 || !IS_OK(buf_new((size_t)1024 * 1024, &out))) {
        return 0;
    }
    if (IS_OK(fields_read(view_of(data + 1, size - 1), &fields))) {
        endpoints[data[0] % 6](&fields, out);
    }
    fields_clear(&fields);
    return 0;
}
