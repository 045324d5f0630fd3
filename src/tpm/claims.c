#include "tpm/claims.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_CHUNK_BYTES = 16 * 1024, FIRST_CLAIMS = 64 };

/* Values stand in chunks that never move. */
struct claim_text {
    struct claim_text *next;
    size_t used;
    size_t size;
    char bytes[];
};

ERRFN claims_new(struct claims **out_claims)
{
    struct claims *claims = calloc(1, sizeof *claims);
    ENSURE(claims, NO_MEMORY);
    *out_claims = claims;
    return OK;
}

void claims_free(struct claims *claims)
{
    if (!claims) {
        return;
    }
    while (claims->texts) {
        struct claim_text *next = claims->texts->next;
        free(claims->texts);
        claims->texts = next;
    }
    free(claims->items);
    free(claims);
}

static ERRFN keep_text(struct claims *claims, const char *value, size_t size, const char **out_kept)
{
    struct claim_text *chunk = claims->texts;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = size > TEXT_CHUNK_BYTES ? size : TEXT_CHUNK_BYTES;
        chunk = malloc(sizeof *chunk + room);
        ENSURE(chunk, NO_MEMORY);
        *chunk = (struct claim_text){.next = claims->texts, .size = room};
        claims->texts = chunk;
    }
    char *at = chunk->bytes + chunk->used;
    memcpy(at, value, size);
    chunk->used += size;
    claims->text_bytes += size;
    *out_kept = at;
    return OK;
}

static ERRFN make_room(struct claims *claims)
{
    if (claims->count < claims->capacity) {
        return OK;
    }
    size_t wanted = claims->capacity ? claims->capacity * 2 : FIRST_CLAIMS;
    struct event_claim *grown = reallocarray(claims->items, wanted, sizeof *grown);
    ENSURE(grown, NO_MEMORY);
    claims->items = grown;
    claims->capacity = wanted;
    return OK;
}

ERRFN claims_add(struct claims *claims, const char *name, const char *value)
{
    size_t size = strlen(value) + 1;
    if (claims->count >= CLAIMS_MAX || size > CLAIMS_TEXT_MAX_BYTES - claims->text_bytes) {
        claims->truncated = true;
        return OK;
    }
    struct event_claim claim = {.name = name, .pcrs = claims->pcrs};
    TRY(make_room(claims));
    TRY(keep_text(claims, value, size, &claim.value));
    claims->items[claims->count++] = claim;
    return OK;
}

void claims_warn(struct claims *claims, bool serious, size_t event, const char *format, ...)
{
    claims->serious = claims->serious || serious;
    if (claims->warning_count == CLAIM_WARNINGS_MAX) {
        claims->warnings_dropped++;
        return;
    }
    struct claim_warning *warning = &claims->warnings[claims->warning_count++];
    warning->serious = serious;
    warning->event = event;
    va_list args;
    va_start(args, format);
    vsnprintf(warning->text, sizeof warning->text, format, args);
    va_end(args);
}

const char *claims_first(const struct claims *claims, const char *name)
{
    for (size_t i = 0; i < claims->count; i++) {
        if (strcmp(claims->items[i].name, name) == 0) {
            return claims->items[i].value;
        }
    }
    return NULL;
}

size_t claims_count(const struct claims *claims, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < claims->count; i++) {
        count += strcmp(claims->items[i].name, name) == 0;
    }
    return count;
}

bool claims_has(const struct claims *claims, const char *name, const char *value)
{
    for (size_t i = 0; i < claims->count; i++) {
        if (strcmp(claims->items[i].name, name) == 0 &&
            strcmp(claims->items[i].value, value) == 0) {
            return true;
        }
    }
    return false;
}
