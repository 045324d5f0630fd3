/* Generated from the message table: every message, filled to its limits, empty and random, there and back; cut, extended and flipped. */
#include "ipc/messages.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILL_EMPTY = 0, FILL_FULL, FILL_RANDOM, FILL_WAYS };

static char letters[2 * 1024 * 1024];

static uint64_t pick(int way, uint64_t limit)
{
    if (way == FILL_RANDOM) {
        uint64_t number;
        random_bytes(&number, sizeof number);
        return limit == UINT64_MAX ? number : number % (limit + 1);
    }
    return way == FILL_FULL ? limit : 0;
}

/* Each list of a message has a buffer of its own, as in the product. */
enum { LISTS_MAX = 8, LIST_BYTES = 8 * 1024 * 1024 };

struct lists {
    struct buf *at[LISTS_MAX];
    size_t count;
};

static struct buf *next_list(struct lists *lists)
{
    assert_true(lists->count < LISTS_MAX);
    assert_true(IS_OK(buf_new(LIST_BYTES, &lists->at[lists->count])));
    return lists->at[lists->count++];
}

static void free_lists(struct lists *lists)
{
    while (lists->count > 0) {
        buf_free(lists->at[--lists->count]);
    }
}

static struct view pick_text(int way, size_t limit)
{
    return view_of(letters, (size_t)pick(way, limit));
}

#define FILL(kind, name, limit)      FILL_##kind(name, limit)
#define FILL_U8(name, limit)         m->name = (uint8_t)pick(way, limit);
#define FILL_U16(name, limit)        m->name = (uint16_t)pick(way, limit);
#define FILL_U32(name, limit)        m->name = (uint32_t)pick(way, limit);
#define FILL_U64(name, limit)        m->name = pick(way, limit);
#define FILL_FIXED(name, limit)      memset(m->name, (int)pick(way, 255), limit);
#define FILL_BLOB(name, limit)       m->name = pick_text(way, limit);
#define FILL_TEXT(name, limit)       m->name = pick_text(way, limit);
#define FILL_LIST(name, record)      fill_list_##record(&m->name, lists, way);

#define R(name, rows_max)                                                                          \
    static void fill_list_##name(struct ipc_list *list, struct lists *lists, int way)              \
    {                                                                                              \
        struct buf *storage = next_list(lists);                                                    \
        struct ipc_##name##_record row;                                                            \
        struct ipc_##name##_record *m = &row;                                                      \
        uint64_t count = pick(way, rows_max);                                                      \
        for (uint64_t i = 0; i < count; i++) {                                                     \
            memset(m, 0, sizeof *m);                                                               \
            RECORD_##name(FILL) assert_true(IS_OK(ipc_list_add_##name(list, storage, m)));         \
        }                                                                                          \
        if (way == FILL_FULL) {                                                                    \
            assert_true(IS_E(ipc_list_add_##name(list, storage, m), TOO_LONG));                    \
        }                                                                                          \
    }
IPC_RECORDS(R)
#undef R

/* One body, four attacks. `decode` says whether the body is taken. */
static void attack(struct buf *body, bool (*decode)(struct view))
{
    assert_true(decode(buf_view(body)));
    for (size_t len = 0; len < body->len; len += body->len / 200 + 1) {
        assert_false(decode(view_of(body->data, len)));
    }
    assert_true(IS_OK(buf_put_u8(body, 0)));
    assert_false(decode(buf_view(body)));
    buf_truncate(body, body->len - 1);
    for (int i = 0; i < 300 && body->len > 0; i++) {
        uint8_t *at = body->data + pick(FILL_RANDOM, body->len - 1);
        uint8_t mask = (uint8_t)(1u << pick(FILL_RANDOM, 7));
        *at ^= mask;
        (void)decode(buf_view(body)); /* must not crash; may still be a valid message */
        *at ^= mask;
    }
}

#define TEST(name, struct_name, max_)                                                              \
    static bool decode_##name(struct view body)                                                    \
    {                                                                                              \
        struct struct_name m;                                                                      \
        if (!IS_OK(ipc_get_##name(body, &m))) {                                                    \
            return false;                                                                          \
        }                                                                                          \
        AUTO(buf) again = NULL;                                                                    \
        assert_true(IS_OK(buf_new(8 * 1024 * 1024, &again)));                                      \
        assert_true(IS_OK(ipc_put_##name(again, &m)));                                             \
        assert_true(view_equal(buf_view(again), body));                                            \
        return true;                                                                               \
    }

#define TEST_MESSAGE(name)                                                                         \
    TEST(name##_request, ipc_##name##_request, request_max)                                        \
    TEST(name##_reply, ipc_##name##_reply, reply_max)                                              \
    static void fill_##name##_request(struct ipc_##name##_request *m, struct lists *lists, int way)\
    {                                                                                              \
        (void)lists;                                                                               \
        REQUEST_##name(FILL)                                                                       \
    }                                                                                              \
    static void fill_##name##_reply(struct ipc_##name##_reply *m, struct lists *lists, int way)    \
    {                                                                                              \
        (void)lists;                                                                               \
        REPLY_##name(FILL)                                                                         \
    }                                                                                              \
    static void name##_survives_there_and_back_and_nothing_else_does(void **state)                 \
    {                                                                                              \
        (void)state;                                                                               \
        const struct ipc_message_info *info = ipc_message_info(IPC_TYPE_##name);                   \
        assert_non_null(info);                                                                     \
        for (int way = 0; way < FILL_WAYS; way++) {                                                \
            AUTO(buf) body = NULL;                                                                 \
            struct lists lists = {.count = 0};                                                     \
            assert_true(IS_OK(buf_new(8 * 1024 * 1024, &body)));                                   \
            struct ipc_##name##_request request;                                                   \
            memset(&request, 0, sizeof request);                                                   \
            fill_##name##_request(&request, &lists, way);                                         \
            assert_true(IS_OK(ipc_put_##name##_request(body, &request)));                          \
            assert_true(body->len <= info->request_max);                                           \
            assert_true(way != FILL_FULL || body->len == info->request_max);                       \
            attack(body, decode_##name##_request);                                                 \
            buf_truncate(body, 0);                                                                 \
            struct ipc_##name##_reply reply;                                                       \
            memset(&reply, 0, sizeof reply);                                                       \
            fill_##name##_reply(&reply, &lists, way);                                              \
            assert_true(IS_OK(ipc_put_##name##_reply(body, &reply)));                              \
            assert_true(body->len <= info->reply_max);                                             \
            assert_true(way != FILL_FULL || body->len == info->reply_max);                         \
            attack(body, decode_##name##_reply);                                                   \
            free_lists(&lists);                                                                    \
        }                                                                                          \
    }
#define M(channel, name, number, states) TEST_MESSAGE(name)
IPC_MESSAGES(M)
#undef M

static void text_with_control_characters_is_malformed(void **state)
{
    (void)state;
    struct ipc_ready_request m = {.source_ip = view_text("127.0.0.1\n")};
    AUTO(buf) body = NULL;
    assert_true(IS_OK(buf_new(256, &body)));
    assert_true(IS_E(ipc_put_ready_request(body, &m), WIRE));
    assert_false(decode_ready_request(view_of("\0\x03" "a\nb", 5)));
    assert_true(decode_ready_request(view_of("\0\x03" "a b", 5)));
}

static void numbers_past_their_limit_are_malformed(void **state)
{
    (void)state;
    assert_true(decode_channel_reset_request(view_of("\x03\x01", 2)));
    assert_false(decode_channel_reset_request(view_of("\x04\x01", 2)));
    assert_false(decode_channel_reset_request(view_of("\x03\x02", 2)));
}

static void every_number_in_the_table_is_used_once(void **state)
{
    (void)state;
    size_t count;
    const struct ipc_message_info *table = ipc_message_table(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(table[i].states != 0);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(table[i].type, table[j].type);
        }
    }
    assert_null(ipc_message_info(0));
    assert_null(ipc_message_info(0x0fff));
}

int main(void)
{
    memset(letters, 'a', sizeof letters);
    const struct CMUnitTest tests[] = {
#define M(channel, name, number, states) cmocka_unit_test(name##_survives_there_and_back_and_nothing_else_does),
        IPC_MESSAGES(M)
#undef M
        cmocka_unit_test(text_with_control_characters_is_malformed),
        cmocka_unit_test(numbers_past_their_limit_are_malformed),
        cmocka_unit_test(every_number_in_the_table_is_used_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
