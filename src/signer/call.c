#include "signer/signer.h"

ERRFN call_buffer(struct call *call, size_t max, struct buf **out_buf)
{
    ENSURE(call->buffer_count < CALL_BUFFERS_MAX, BUG);
    struct buf *b;
    TRY(buf_new(max, &b));
    call->buffers[call->buffer_count++] = b;
    *out_buf = b;
    return OK;
}

ERRFN call_text(struct call *call, const char *text, struct view *out_view)
{
    struct buf *copy;
    struct view from = view_text(text);
    TRY(call_buffer(call, from.len, &copy));
    TRY(buf_put(copy, from));
    *out_view = buf_view(copy);
    return OK;
}

err_t call_refuse(struct call *call, err_t why, const char *subject)
{
    call->subject = subject;
    return why;
}
