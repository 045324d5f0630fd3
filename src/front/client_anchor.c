#include "front/client_anchor.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/log.h"

enum {
    ANCHOR_DEADLINE_MS = 1000,   /* a handshake waits for it */
    ANCHOR_FRESH_MS = 15 * 1000, /* with the signer it counts for eight times as long */
    ANCHOR_USED_MS = 30 * 1000,  /* while a fresher one is awaited; older, it soon stops to count */
    ANCHOR_RETRY_MS = 1000
};

struct client_anchor {
    struct ipc_client *api;
    pthread_mutex_t lock;
    uint8_t bytes[IPC_TLS_ANCHOR_BYTES];
    X509 *ca; /* NULL before the first */
    uint64_t fetched_ms;
    uint64_t try_again_ms;
    bool fetching;
    unsigned signers; /* how many came before the one of now */
};

ERRFN client_anchor_new(struct ipc_client *api, struct client_anchor **out_anchor)
{
    struct client_anchor *a = calloc(1, sizeof *a);
    ENSURE(a && pthread_mutex_init(&a->lock, NULL) == 0, NO_MEMORY);
    a->api = api; /* lives as long as the process; on an error the process ends */
    *out_anchor = a;
    return OK;
}

void client_anchor_forget(struct client_anchor *a)
{
    pthread_mutex_lock(&a->lock);
    X509_free(STEAL(a->ca));
    a->try_again_ms = 0;
    a->signers++;
    pthread_mutex_unlock(&a->lock);
}

static ERRFN fetch(struct ipc_client *api, uint8_t out_bytes[static IPC_TLS_ANCHOR_BYTES],
                   X509 **out_ca)
{
    const struct ipc_tls_anchor_request request = {0};
    struct ipc_tls_anchor_reply reply;
    struct ipc_answer answer;
    err_t called = ipc_call_tls_anchor(api, &request, ANCHOR_DEADLINE_MS, &answer, &reply);
    if (IS_OK(called)) {
        const uint8_t *at = reply.ca.data;
        memcpy(out_bytes, reply.anchor, IPC_TLS_ANCHOR_BYTES);
        *out_ca = d2i_X509(NULL, &at, (long)reply.ca.len);
        ERR_clear_error();
        called = *out_ca ? OK : E(WIRE);
    }
    ipc_answer_clear(&answer);
    return called;
}

/* Out of the lock: the others go on with what there is. An answer that crossed with the end of its
 * signer is of no use any more. */
static void refresh(struct client_anchor *a, unsigned signers)
{
    uint8_t bytes[IPC_TLS_ANCHOR_BYTES];
    X509 *ca = NULL;
    err_t fetched = fetch(a->api, bytes, &ca);
    pthread_mutex_lock(&a->lock);
    a->fetching = false;
    if (IS_OK(fetched) && a->signers != signers) {
        X509_free(ca);
    } else if (IS_OK(fetched)) {
        X509_free(a->ca);
        a->ca = ca;
        memcpy(a->bytes, bytes, sizeof a->bytes);
        a->fetched_ms = clock_monotonic_ms();
    } else {
        a->try_again_ms = clock_monotonic_ms() + ANCHOR_RETRY_MS;
    }
    pthread_mutex_unlock(&a->lock);
    if (!IS_OK(fetched)) {
        log_event(LOG_WARN, "tls.client_certificates_off", LOG_ERR(fetched));
    }
}

static bool is_mine_to_refresh(struct client_anchor *a, unsigned *out_signers)
{
    uint64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&a->lock);
    bool old = !a->ca || now - a->fetched_ms >= ANCHOR_FRESH_MS;
    bool mine = old && !a->fetching && now >= a->try_again_ms;
    a->fetching = a->fetching || mine;
    *out_signers = a->signers;
    pthread_mutex_unlock(&a->lock);
    return mine;
}

bool client_anchor_take(struct client_anchor *a, uint8_t out_bytes[static IPC_TLS_ANCHOR_BYTES],
                        X509 **out_ca)
{
    unsigned signers;
    if (is_mine_to_refresh(a, &signers)) {
        refresh(a, signers);
    }
    pthread_mutex_lock(&a->lock);
    bool usable =
        a->ca && clock_monotonic_ms() - a->fetched_ms < ANCHOR_USED_MS && X509_up_ref(a->ca) == 1;
    if (usable) {
        memcpy(out_bytes, a->bytes, sizeof a->bytes);
        *out_ca = a->ca;
    }
    pthread_mutex_unlock(&a->lock);
    return usable;
}
