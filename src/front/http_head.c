#include "front/http_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

/* The number of a Content-Length, in digits alone. */
static ERRFN read_length(const char *value, struct http_framing *framing)
{
    size_t digits = strspn(value, "0123456789");
    ENSURE(framing->length < 0, BAD_REQUEST); /* given twice: who reads which? */
    ENSURE(digits > 0 && digits < 12 && value[digits] == '\0', BAD_REQUEST);
    framing->length = strtoll(value, NULL, 10);
    return OK;
}

static ERRFN read_framing(const char *name, const char *value, struct http_framing *framing)
{
    if (strcasecmp(name, "Content-Length") == 0) {
        return read_length(value, framing);
    }
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->chunked = true;
    }
    if (strcasecmp(name, "Expect") == 0) {
        framing->expects_continue = strcasecmp(value, "100-continue") == 0;
    }
    return OK;
}

ERRFN http_head_read(const char *name, const char *value, struct exchange *x,
                     struct http_framing *framing)
{
    const struct {
        const char *name;
        const char **value;
    } wanted[] = {
        {"Accept", &x->accept},
        {"Authorization", &x->authorization},
        {"Content-Type", &x->content_type},
        {"Content-Digest", &x->content_digest},
        {"Signature", &x->signature},
        {"Signature-Input", &x->signature_input},
        {"If-None-Match", &x->if_none_match},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strcasecmp(name, wanted[i].name) == 0) {
            ENSURE(text_is_clean(view_text(value)), BAD_REQUEST);
            *wanted[i].value = value;
            return OK;
        }
    }
    return read_framing(name, value, framing);
}

/* RFC 9110 section 5.6.7, made once a second by each thread. */
static const char *date_now(void)
{
    static _Thread_local time_t made;
    static _Thread_local char text[32];
    time_t now = (time_t)(clock_utc_ms() / 1000);
    if (now != made) {
        struct tm utc;
        gmtime_r(&now, &utc);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        made = now;
    }
    return text;
}

static ERRFN put_optional_lines(const struct exchange *x, struct buf *head)
{
    if (x->allow) {
        TRY(buf_printf(head, "Allow: %s\r\n", x->allow));
    }
    if (x->status == 401) {
        TRY(buf_put_text(head, "WWW-Authenticate: Bearer\r\n"));
    }
    if (x->retry_after_s > 0) {
        TRY(buf_printf(head, "Retry-After: %u\r\n", x->retry_after_s));
    }
    if (x->next_after[0]) {
        TRY(buf_printf(head, "X-Next-After: %s\r\n", x->next_after));
    }
    if (x->etag[0]) {
        TRY(buf_printf(head, "ETag: %s\r\n", x->etag));
    }
    return OK;
}

ERRFN http_head_write(const struct exchange *x, const char *phrase, size_t length, bool keep,
                      struct buf *out_head)
{
    TRY(buf_printf(out_head,
                   "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: %s\r\nX-Request-Id: %s\r\n"
                   "Cache-Control: %s\r\nX-Content-Type-Options: nosniff\r\n"
                   "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n",
                   x->status, phrase, date_now(), keep ? "keep-alive" : "close", x->request_id,
                   x->etag[0] ? "no-cache" : "no-store"));
    if (x->status != 304) { /* whose body is the one that the client has */
        TRY(buf_printf(out_head, "Content-Type: %s\r\nContent-Length: %zu\r\n", x->answer_type,
                       length));
    }
    TRY(put_optional_lines(x, out_head));
    return buf_put_text(out_head, "\r\n");
}
