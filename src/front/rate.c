#include "front/rate.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* 8192 addresses: a large fleet behind its own addresses. Whoever shares a set of eight with
 * seven busier ones only gets a fresh bucket, so a full table is generous, never strict. */
enum { SETS = 1024, WAYS = 8, KEY_BYTES = 16, MILLI = 1000, MINUTE_MS = 60000 };

struct bucket {
    uint8_t key[KEY_BYTES];
    uint64_t seen_ms; /* 0: never used */
    uint64_t millitokens;
};

struct set {
    pthread_mutex_t lock;
    struct bucket ways[WAYS];
};

struct rate {
    uint64_t per_minute;
    uint64_t seed[2]; /* a stranger cannot choose addresses that share a set */
    struct set sets[SETS];
};

ERRFN rate_new(unsigned per_minute, struct rate **out_rate)
{
    struct rate *rate = calloc(1, sizeof *rate);
    ENSURE(rate, NO_MEMORY);
    rate->per_minute = per_minute;
    random_bytes(rate->seed, sizeof rate->seed);
    for (size_t i = 0; i < SETS; i++) {
        pthread_mutex_init(&rate->sets[i].lock, NULL);
    }
    *out_rate = rate;
    return OK;
}

void rate_free(struct rate *rate)
{
    if (!rate) {
        return;
    }
    for (size_t i = 0; i < SETS; i++) {
        pthread_mutex_destroy(&rate->sets[i].lock);
    }
    free(rate);
}

/* IPv4 in the first four bytes, or the /64 of IPv6. What is no address at all shares one bucket. */
static void key_of(const char *address, uint8_t out_key[KEY_BYTES])
{
    struct in6_addr six;
    memset(out_key, 0, KEY_BYTES);
    if (inet_pton(AF_INET, address, out_key) == 1) {
        out_key[KEY_BYTES - 1] = 4;
    } else if (inet_pton(AF_INET6, address, &six) == 1) {
        memcpy(out_key, &six, 8);
        out_key[KEY_BYTES - 1] = 6;
    }
}

static size_t set_of(const struct rate *rate, const uint8_t key[KEY_BYTES])
{
    uint64_t words[2];
    memcpy(words, key, sizeof words);
    uint64_t mixed = (words[0] ^ rate->seed[0]) * 0x9e3779b97f4a7c15u;
    mixed = ((mixed ^ mixed >> 32) + (words[1] ^ rate->seed[1])) * 0xd6e8feb86659fd93u;
    return (size_t)((mixed ^ mixed >> 29) >> 7) % SETS;
}

/* The key's bucket, made anew in place of the one seen longest ago when there is none. */
static struct bucket *bucket_of(struct rate *rate, struct set *set, const uint8_t key[KEY_BYTES],
                                uint64_t now_ms)
{
    struct bucket *oldest = &set->ways[0];
    for (size_t i = 0; i < WAYS; i++) {
        struct bucket *bucket = &set->ways[i];
        if (bucket->seen_ms > 0 && memcmp(bucket->key, key, KEY_BYTES) == 0) {
            return bucket;
        }
        if (bucket->seen_ms < oldest->seen_ms) {
            oldest = bucket;
        }
    }
    memcpy(oldest->key, key, KEY_BYTES);
    oldest->millitokens = rate->per_minute * MILLI;
    oldest->seen_ms = now_ms;
    return oldest;
}

static ERRFN take_locked(const struct rate *rate, struct bucket *bucket, uint64_t now_ms,
                         uint32_t *out_retry_after_s)
{
    uint64_t passed = now_ms > bucket->seen_ms ? now_ms - bucket->seen_ms : 0;
    passed = passed < MINUTE_MS ? passed : MINUTE_MS;
    uint64_t full = rate->per_minute * MILLI;
    uint64_t filled = bucket->millitokens + passed * full / MINUTE_MS;
    bucket->millitokens = filled < full ? filled : full;
    bucket->seen_ms = now_ms;
    if (bucket->millitokens < MILLI) {
        uint64_t wait_ms = (MILLI - bucket->millitokens) * MINUTE_MS / full + 1;
        *out_retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
        return E(RATE_LIMITED);
    }
    bucket->millitokens -= MILLI;
    return OK;
}

ERRFN rate_take(struct rate *rate, const char *address, uint64_t now_ms,
                uint32_t *out_retry_after_s)
{
    if (rate->per_minute == 0) {
        return OK;
    }
    uint8_t key[KEY_BYTES];
    key_of(address, key);
    struct set *set = &rate->sets[set_of(rate, key)];
    pthread_mutex_lock(&set->lock);
    struct bucket *bucket = bucket_of(rate, set, key, now_ms);
    err_t taken = take_locked(rate, bucket, now_ms, out_retry_after_s);
    pthread_mutex_unlock(&set->lock);
    return taken;
}
