#include "front/keyholder.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"

enum { SIGN_DEADLINE_MS = 5000, PUMP_WAIT_MS = 10, HASH_BYTES = 48 };

ERRFN keyholder_sign(void *context, struct view content, struct buf *out_signature)
{
    struct ipc_client *client = context;
    struct ipc_tls_sign_request request = {.content = content};
    struct ipc_tls_sign_reply reply;
    struct ipc_answer answer;
    ENSURE(
        content.len <= 146,
        TLS_CONTENT); /* messages.def; another suite's or version's content never gets that far */
    err_t called = ipc_call_tls_sign(client, &request, SIGN_DEADLINE_MS, &answer, &reply);
    err_t done = IS_OK(called) ? buf_put(out_signature, reply.signature) : called;
    ipc_answer_clear(&answer);
    if (!IS_OK(done)) {
        log_event(LOG_ERROR, "tls.sign_failed", LOG_ERR(done));
    }
    return done;
}

/* RFC 8446 section 4.4.3, over a transcript that no connection has. */
static ERRFN make_content(struct buf **out_content)
{
    uint8_t hash[HASH_BYTES];
    AUTO(buf) content = NULL;
    TRY(buf_new(146, &content));
    for (size_t i = 0; i < 64; i++) {
        TRY(buf_put_u8(content, ' '));
    }
    TRY(buf_put_text(content, "TLS 1.3, server CertificateVerify"));
    TRY(buf_put_u8(content, 0));
    random_bytes(hash, sizeof hash);
    TRY(buf_put(content, view_of(hash, sizeof hash)));
    *out_content = STEAL(content);
    return OK;
}

struct proof {
    struct ipc_client *client;
    struct tls *tls;
    err_t result;
    atomic_bool done;
};

static ERRFN ask(struct proof *proof)
{
    AUTO(buf) content = NULL;
    AUTO(buf) signature = NULL;
    TRY(make_content(&content));
    TRY(buf_new(256, &signature));
    TRY(keyholder_sign(proof->client, buf_view(content), signature));
    return tls_check_signature(proof->tls, buf_view(content), buf_view(signature));
}

static void *ask_in_thread(void *context)
{
    struct proof *proof = context;
    proof->result = ask(proof);
    atomic_store(&proof->done, true);
    return NULL;
}

/* A call waits for the thread that reads the channel, and that is this one. */
ERRFN keyholder_prove(struct ipc_client *client, struct tls *tls)
{
    struct proof proof = {.client = client, .tls = tls};
    pthread_t thread;
    ENSURE(pthread_create(&thread, NULL, ask_in_thread, &proof) == 0, NO_MEMORY);
    bool open = true;
    while (!atomic_load(&proof.done)) {
        struct pollfd fd = {.fd = open ? ipc_client_fd(client) : -1, .events = POLLIN};
        if (poll(&fd, 1, PUMP_WAIT_MS) > 0) {
            open = IS_OK(ipc_client_pump(client));
        }
    }
    pthread_join(thread, NULL);
    return proof.result;
}
