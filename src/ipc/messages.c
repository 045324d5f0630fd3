#include "ipc/messages.h"

#include "base/text.h"

#include <string.h>

/* Encoding: one statement per field, from the same text as the struct. */
#define PUT(kind, name, limit) PUT_##kind(name, limit)
#define PUT_U8(name, limit)                                                                        \
    ENSURE(m->name <= (limit), WIRE);                                                              \
    TRY(buf_put_u8(out, m->name));
#define PUT_U16(name, limit)                                                                       \
    ENSURE(m->name <= (limit), WIRE);                                                              \
    TRY(buf_put_u16(out, m->name));
#define PUT_U32(name, limit)                                                                       \
    ENSURE(m->name <= (limit), WIRE);                                                              \
    TRY(buf_put_u32(out, m->name));
#define PUT_U64(name, limit)                                                                       \
    ENSURE(m->name <= (limit), WIRE);                                                              \
    TRY(buf_put_u64(out, m->name));
#define PUT_FIXED(name, limit) TRY(buf_put(out, view_of(m->name, limit)));
#define PUT_BLOB(name, limit)  TRY(put_blob(out, m->name, limit));
#define PUT_TEXT(name, limit)  TRY(put_text(out, m->name, limit));
#define PUT_LIST(name, record)                                                                     \
    ENSURE(m->name.count <= IPC_ROWS_MAX_##record, WIRE);                                          \
    TRY(buf_put_u16(out, m->name.count));                                                          \
    TRY(buf_put(out, m->name.rows));

/* Decoding. */
#define GET(kind, name, limit) GET_##kind(name, limit)
#define GET_U8(name, limit)                                                                        \
    TRY(view_get_u8(&body, &m.name, E(WIRE)));                                                     \
    ENSURE(m.name <= (limit), WIRE);
#define GET_U16(name, limit)                                                                       \
    TRY(view_get_u16(&body, &m.name, E(WIRE)));                                                    \
    ENSURE(m.name <= (limit), WIRE);
#define GET_U32(name, limit)                                                                       \
    TRY(view_get_u32(&body, &m.name, E(WIRE)));                                                    \
    ENSURE(m.name <= (limit), WIRE);
#define GET_U64(name, limit)                                                                       \
    TRY(view_get_u64(&body, &m.name, E(WIRE)));                                                    \
    ENSURE(m.name <= (limit), WIRE);
#define GET_FIXED(name, limit) TRY(get_fixed(&body, m.name, limit));
#define GET_BLOB(name, limit)  TRY(get_blob(&body, limit, &m.name));
#define GET_TEXT(name, limit)  TRY(get_text(&body, limit, &m.name));
#define GET_LIST(name, record) TRY(get_list_##record(&body, &m.name));

/* Greatest encoded size. */
#define SIZE(kind, name, limit)  +SIZE_##kind(name, limit)
#define SIZE_U8(name, limit)     1
#define SIZE_U16(name, limit)    2
#define SIZE_U32(name, limit)    4
#define SIZE_U64(name, limit)    8
#define SIZE_FIXED(name, limit)  (limit)
#define SIZE_BLOB(name, limit)   (4 + (limit))
#define SIZE_TEXT(name, limit)   (2 + (limit))
#define SIZE_LIST(name, record)  (2 + IPC_ROWS_MAX_##record * RECORD_SIZE_##record)

static ERRFN put_blob(struct buf *out, struct view v, size_t limit)
{
    ENSURE(v.len <= limit, WIRE);
    TRY(buf_put_u32(out, (uint32_t)v.len));
    return buf_put(out, v);
}

static ERRFN put_text(struct buf *out, struct view v, size_t limit)
{
    ENSURE(v.len <= limit && text_is_clean(v), WIRE);
    TRY(buf_put_u16(out, (uint16_t)v.len));
    return buf_put(out, v);
}

static ERRFN get_fixed(struct view *body, uint8_t *out_bytes, size_t len)
{
    struct view bytes;
    TRY(view_get_bytes(body, len, &bytes, E(WIRE)));
    memcpy(out_bytes, bytes.data, len);
    return OK;
}

static ERRFN get_blob(struct view *body, size_t limit, struct view *out_bytes)
{
    uint32_t len;
    TRY(view_get_u32(body, &len, E(WIRE)));
    ENSURE(len <= limit, WIRE);
    return view_get_bytes(body, len, out_bytes, E(WIRE));
}

static ERRFN get_text(struct view *body, size_t limit, struct view *out_text)
{
    uint16_t len;
    TRY(view_get_u16(body, &len, E(WIRE)));
    ENSURE(len <= limit, WIRE);
    struct view text;
    TRY(view_get_bytes(body, len, &text, E(WIRE)));
    ENSURE(text_is_clean(text), WIRE);
    *out_text = text;
    return OK;
}

#define R(name, rows_max)                                                                             \
    enum { RECORD_SIZE_##name = 0 RECORD_##name(SIZE) };                                           \
    static ERRFN put_##name##_record(struct buf *out, const struct ipc_##name##_record *m)         \
    {                                                                                              \
        RECORD_##name(PUT) return OK;                                                              \
    }                                                                                              \
    static ERRFN get_##name##_record(struct view *from, struct ipc_##name##_record *out_row)       \
    {                                                                                              \
        struct view body = *from;                                                                  \
        struct ipc_##name##_record m;                                                              \
        memset(&m, 0, sizeof m);                                                                   \
        RECORD_##name(GET) *from = body;                                                           \
        *out_row = m;                                                                              \
        return OK;                                                                                 \
    }                                                                                              \
    static ERRFN get_list_##name(struct view *body, struct ipc_list *out_list)                     \
    {                                                                                              \
        struct ipc_list list = {0};                                                                \
        TRY(view_get_u16(body, &list.count, E(WIRE)));                                             \
        ENSURE(list.count <= (rows_max), WIRE);                                                        \
        list.rows = *body;                                                                         \
        struct ipc_##name##_record row;                                                            \
        for (uint16_t i = 0; i < list.count; i++) {                                                \
            TRY(get_##name##_record(body, &row));                                                  \
        }                                                                                          \
        list.rows.len -= body->len;                                                                \
        *out_list = list;                                                                          \
        return OK;                                                                                 \
    }                                                                                              \
    ERRFN ipc_list_add_##name(struct ipc_list *list, struct buf *storage,                          \
                              const struct ipc_##name##_record *row)                               \
    {                                                                                              \
        ENSURE(list->count < (rows_max), TOO_LONG);                                                    \
        TRY(put_##name##_record(storage, row));                                                    \
        list->count++;                                                                             \
        list->rows = buf_view(storage);                                                            \
        return OK;                                                                                 \
    }                                                                                              \
    bool ipc_list_next_##name(struct ipc_list *list, struct ipc_##name##_record *out_row)          \
    {                                                                                              \
        if (list->count == 0 || !IS_OK(get_##name##_record(&list->rows, out_row))) {               \
            return false;                                                                          \
        }                                                                                          \
        list->count--;                                                                             \
        return true;                                                                               \
    }
IPC_RECORDS(R)
#undef R

#define CODEC(name, struct_name, FIELDS)                                                           \
    ERRFN ipc_put_##name(struct buf *out, const struct struct_name *m)                             \
    {                                                                                              \
        FIELDS(PUT) return OK;                                                                     \
    }                                                                                              \
    ERRFN ipc_get_##name(struct view body, struct struct_name *out_message)                        \
    {                                                                                              \
        struct struct_name m;                                                                      \
        memset(&m, 0, sizeof m);                                                                   \
        FIELDS(GET) ENSURE(body.len == 0, WIRE);                                                   \
        *out_message = m;                                                                          \
        return OK;                                                                                 \
    }

#define M(channel, name, number, states)                                                           \
    CODEC(name##_request, ipc_##name##_request, REQUEST_##name)                                    \
    CODEC(name##_reply, ipc_##name##_reply, REPLY_##name)
IPC_MESSAGES(M)
#undef M

CODEC(refusal, ipc_refusal, IPC_REFUSAL)

static const struct ipc_message_info table[] = {
#define M(channel_, name_, number_, states_)                                                       \
    {.name = #name_,                                                                               \
     .type = IPC_TYPE_##name_,                                                                     \
     .channel = IPC_CHANNEL_##channel_,                                                            \
     .states = (states_),                                                                          \
     .request_max = 0 REQUEST_##name_(SIZE),                                                       \
     .reply_max = 0 REPLY_##name_(SIZE)},
    IPC_MESSAGES(M)
#undef M
};

const struct ipc_message_info *ipc_message_info(uint16_t type)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].type == type) {
            return &table[i];
        }
    }
    return NULL;
}

const struct ipc_message_info *ipc_message_table(size_t *out_count)
{
    *out_count = sizeof table / sizeof table[0];
    return table;
}
