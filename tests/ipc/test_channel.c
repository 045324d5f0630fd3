#include "base/fd.h"
#include "base/random.h"
#include "ipc/channel.h"
#include "ipc/client.h"
#include "ipc/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

struct pair {
    int raw; /* our end, to say anything */
    struct ipc_channel *server;
};

static int make_pair(void **state)
{
    static struct pair pair;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ||
        !IS_OK(ipc_channel_new(ends[1], IPC_CHANNEL_API, &pair.server))) {
        return -1;
    }
    pair.raw = ends[0];
    *state = &pair;
    return 0;
}

static int drop_pair(void **state)
{
    struct pair *pair = *state;
    close(pair->raw);
    ipc_channel_free(pair->server);
    return 0;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static void say(const struct pair *pair, uint32_t protocol, uint16_t type, uint16_t status, uint32_t sequence, uint32_t len,
                const void *body, size_t body_len)
{
    uint8_t header[IPC_HEADER_BYTES];
    put_u32(header, protocol);
    put_u32(header + 4, (uint32_t)type << 16 | status);
    put_u32(header + 8, sequence);
    put_u32(header + 12, len);
    assert_true(IS_OK(fd_write_full(pair->raw, header, sizeof header)));
    assert_true(IS_OK(fd_write_full(pair->raw, body, body_len)));
}

static err_t hear(const struct pair *pair, bool *out_found, struct ipc_frame *out_frame)
{
    err_t received = ipc_channel_receive(pair->server);
    return IS_OK(received) ? ipc_channel_next(pair->server, out_found, out_frame) : received;
}

static void expect_violation(const struct pair *pair)
{
    bool found;
    struct ipc_frame frame;
    assert_true(IS_E(hear(pair, &found, &frame), WIRE));
}

static const uint8_t READY_BODY[2] = {0, 0}; /* an empty source address */

static void well_formed_request_is_delivered_whole(void **state)
{
    struct pair *pair = *state;
    bool found;
    struct ipc_frame frame;
    say(pair, IPC_PROTOCOL, IPC_TYPE_ready, 0, 1, 2, READY_BODY, 1);
    assert_true(IS_OK(hear(pair, &found, &frame)));
    assert_false(found);
    assert_true(IS_OK(fd_write_full(pair->raw, READY_BODY + 1, 1)));
    assert_true(IS_OK(hear(pair, &found, &frame)));
    assert_true(found && !frame.reply && frame.type == IPC_TYPE_ready && frame.sequence == 1 && frame.body.len == 2);
}

static void wrong_protocol_is_a_violation(void **state)
{
    say(*state, IPC_PROTOCOL ^ 1, IPC_TYPE_ready, 0, 1, 2, READY_BODY, 2);
    expect_violation(*state);
}

static void unknown_type_is_a_violation(void **state)
{
    say(*state, IPC_PROTOCOL, 0x0fff, 0, 1, 2, READY_BODY, 2);
    expect_violation(*state);
}

static void another_channels_type_is_a_violation(void **state)
{
    say(*state, IPC_PROTOCOL, IPC_TYPE_setup, 0, 1, 2, READY_BODY, 2);
    expect_violation(*state);
}

static void request_with_a_status_is_a_violation(void **state)
{
    say(*state, IPC_PROTOCOL, IPC_TYPE_ready, 1, 1, 2, READY_BODY, 2);
    expect_violation(*state);
}

static void sequence_that_does_not_start_at_one_is_a_violation(void **state)
{
    say(*state, IPC_PROTOCOL, IPC_TYPE_ready, 0, 2, 2, READY_BODY, 2);
    expect_violation(*state);
}

static void repeated_sequence_is_a_violation(void **state)
{
    struct pair *pair = *state;
    bool found;
    struct ipc_frame frame;
    say(pair, IPC_PROTOCOL, IPC_TYPE_ready, 0, 1, 2, READY_BODY, 2);
    assert_true(IS_OK(hear(pair, &found, &frame)) && found);
    say(pair, IPC_PROTOCOL, IPC_TYPE_ready, 0, 1, 2, READY_BODY, 2);
    expect_violation(pair);
}

static void oversize_is_refused_before_the_body_comes(void **state)
{
    say(*state, IPC_PROTOCOL, IPC_TYPE_ready, 0, 1, 0xffffffff, "", 0);
    expect_violation(*state);
}

static void length_one_over_the_types_limit_is_a_violation(void **state)
{
    uint32_t limit = (uint32_t)ipc_message_info(IPC_TYPE_ready)->request_max;
    say(*state, IPC_PROTOCOL, IPC_TYPE_ready, 0, 1, limit + 1, "", 0);
    expect_violation(*state);
}

static void reply_to_nothing_is_a_violation(void **state)
{
    say(*state, IPC_PROTOCOL, IPC_TYPE_ready | IPC_REPLY_BIT, 0, 1, 2, READY_BODY, 2);
    expect_violation(*state);
}

static void attached_descriptor_is_a_violation_and_is_not_received(void **state)
{
    struct pair *pair = *state;
    AUTO(fd) secret = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int highest_before = fcntl(secret, F_DUPFD_CLOEXEC, 0);
    close(highest_before);
    char byte = 0;
    struct iovec iov = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cmsg), &(int){secret}, sizeof(int));
    assert_int_equal(sendmsg(pair->raw, &msg, 0), 1);
    assert_true(IS_E(ipc_channel_receive(pair->server), WIRE));
    int next = fcntl(secret, F_DUPFD_CLOEXEC, 0);
    assert_int_equal(next, highest_before);
    close(next);
}

static void closed_peer_is_gone(void **state)
{
    struct pair *pair = *state;
    shutdown(pair->raw, SHUT_RDWR);
    assert_true(IS_E(ipc_channel_receive(pair->server), PEER_GONE));
}

static void a_peer_that_never_reads_meets_a_bound(void **state)
{
    struct pair *pair = *state;
    static uint8_t body[1024 * 1024];
    err_t queued = OK;
    int count = 0;
    while (IS_OK(queued) && count < 1000) {
        queued = ipc_channel_reply(pair->server, IPC_TYPE_config_pending, 1, view_of(body, sizeof body));
        IGNORE_ERR(ipc_channel_flush(pair->server));
        count++;
    }
    assert_true(IS_E(queued, BUSY));
    assert_true(count < 40);
}

static void replies_after_a_mark_can_be_taken_back(void **state)
{
    struct pair *pair = *state;
    assert_true(IS_OK(ipc_channel_reply(pair->server, IPC_TYPE_note_refusal, 1, view_of("\1", 1))));
    size_t mark = ipc_channel_mark(pair->server);
    assert_true(IS_OK(ipc_channel_reply(pair->server, IPC_TYPE_note_refusal, 2, view_of("\1", 1))));
    ipc_channel_drop_after(pair->server, mark);
    assert_true(IS_OK(ipc_channel_flush(pair->server)));
    uint8_t got[64];
    assert_int_equal(recv(pair->raw, got, sizeof got, MSG_DONTWAIT), IPC_HEADER_BYTES + 1);
}

static void reset_forgets_half_a_frame_and_counts_anew(void **state)
{
    struct pair *pair = *state;
    bool found;
    struct ipc_frame frame;
    say(pair, IPC_PROTOCOL, IPC_TYPE_ready, 0, 1, 2, READY_BODY, 1);
    assert_true(IS_OK(hear(pair, &found, &frame)) && !found);
    assert_true(IS_OK(fd_write_full(pair->raw, "rest of nothing", 15)));
    assert_true(IS_OK(ipc_channel_reset(pair->server)));
    say(pair, IPC_PROTOCOL, IPC_TYPE_ready, 0, 1, 2, READY_BODY, 2);
    assert_true(IS_OK(hear(pair, &found, &frame)) && found);
}

/* -- the threaded client ---------------------------------------------------------------------------------------- */

enum { THREADS = 16, CALLS_EACH = 200 };

static struct ipc_client *client;
static atomic_bool pumping;

static void *pump(void *unused)
{
    (void)unused;
    while (pumping) {
        struct pollfd readable = {.fd = ipc_client_fd(client), .events = POLLIN};
        if (poll(&readable, 1, 20) > 0 && !IS_OK(ipc_client_pump(client))) {
            return NULL;
        }
    }
    return NULL;
}

/* Answers each nonce_new with its own sequence number, batch by batch and in reverse, as a pipelined server may. */
static void *serve(void *context)
{
    struct ipc_channel *server = context;
    while (pumping) {
        struct pollfd readable = {.fd = ipc_channel_fd(server), .events = POLLIN};
        if (poll(&readable, 1, 20) <= 0) {
            continue;
        }
        if (!IS_OK(ipc_channel_receive(server))) {
            return NULL;
        }
        uint32_t waiting[THREADS];
        size_t count = 0;
        bool found = true;
        struct ipc_frame frame;
        while (count < THREADS && IS_OK(ipc_channel_next(server, &found, &frame)) && found) {
            waiting[count++] = frame.sequence;
        }
        while (count-- > 0) {
            struct ipc_nonce_new_reply reply = {.expires_at = waiting[count]};
            AUTO(buf) body = NULL;
            if (IS_OK(buf_new(64, &body)) && IS_OK(ipc_put_nonce_new_reply(body, &reply))) {
                IGNORE_ERR(ipc_channel_reply(server, IPC_TYPE_nonce_new, waiting[count], buf_view(body)));
            }
        }
        IGNORE_ERR(ipc_channel_flush(server));
    }
    return NULL;
}

static atomic_uint answered;
static atomic_ulong sequence_sum;

static void *call_many(void *unused)
{
    (void)unused;
    for (int i = 0; i < CALLS_EACH; i++) {
        struct ipc_nonce_new_request request = {.source_ip = view_text("127.0.0.1")};
        struct ipc_nonce_new_reply reply;
        struct ipc_answer answer;
        if (IS_OK(ipc_call_nonce_new(client, &request, 5000, &answer, &reply))) {
            answered++;
            sequence_sum += reply.expires_at;
        }
        ipc_answer_clear(&answer);
    }
    return NULL;
}

static void many_threads_each_get_their_own_reply(void **state)
{
    (void)state;
    int ends[2];
    AUTO(ipc_channel) server = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_true(IS_OK(ipc_client_new(ends[0], IPC_CHANNEL_API, &client)));
    assert_true(IS_OK(ipc_channel_new(ends[1], IPC_CHANNEL_API, &server)));
    pthread_t threads[THREADS];
    pthread_t pump_thread;
    pthread_t server_thread;
    pumping = true;
    answered = 0;
    sequence_sum = 0;
    pthread_create(&pump_thread, NULL, pump, NULL);
    pthread_create(&server_thread, NULL, serve, server);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, call_many, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pumping = false;
    pthread_join(pump_thread, NULL);
    pthread_join(server_thread, NULL);
    unsigned long total = THREADS * CALLS_EACH;
    assert_int_equal(answered, total);
    assert_int_equal(sequence_sum, total * (total + 1) / 2);
    ipc_client_free(client);
}

static void calls_end_when_the_peer_is_lost_or_late_and_start_again_after_a_reset(void **state)
{
    (void)state;
    int ends[2];
    struct ipc_nonce_new_request request = {.source_ip = view_text("127.0.0.1")};
    struct ipc_nonce_new_reply reply;
    struct ipc_answer answer;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_true(IS_OK(ipc_client_new(ends[0], IPC_CHANNEL_API, &client)));
    assert_true(IS_E(ipc_call_nonce_new(client, &request, 50, &answer, &reply), TIMEOUT));
    ipc_answer_clear(&answer);
    assert_true(IS_OK(ipc_client_reset(client, false)));
    assert_true(IS_E(ipc_call_nonce_new(client, &request, 5000, &answer, &reply), PEER_GONE));
    ipc_answer_clear(&answer);
    assert_true(IS_OK(ipc_client_reset(client, true)));
    assert_true(IS_E(ipc_call_nonce_new(client, &request, 50, &answer, &reply), TIMEOUT));
    ipc_answer_clear(&answer);
    ipc_client_free(client);
    close(ends[1]);
}

static void settings_come_back_as_they_were_put(void **state)
{
    (void)state;
    AUTO(buf) lines = NULL;
    struct view value;
    uint64_t number;
    assert_true(IS_OK(buf_new(512, &lines)));
    assert_true(IS_OK(settings_put(lines, "name", "first value")) && IS_OK(settings_put(lines, "name", "")) &&
                IS_OK(settings_put_number(lines, "names", 42)));
    assert_true(IS_OK(settings_get(buf_view(lines), "name", 0, &value)) && view_is(value, "first value"));
    assert_true(IS_OK(settings_get(buf_view(lines), "name", 1, &value)) && value.len == 0);
    assert_true(IS_E(settings_get(buf_view(lines), "name", 2, &value), FIELD_MISSING));
    assert_true(IS_OK(settings_get_number(buf_view(lines), "names", &number)) && number == 42);
    assert_true(IS_E(settings_get_number(buf_view(lines), "name", &number), FIELD_INVALID));
    assert_true(IS_E(settings_put(lines, "name", "two\nlines"), FIELD_INVALID));
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, make_pair, drop_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(well_formed_request_is_delivered_whole),
        PAIR_TEST(wrong_protocol_is_a_violation),
        PAIR_TEST(unknown_type_is_a_violation),
        PAIR_TEST(another_channels_type_is_a_violation),
        PAIR_TEST(request_with_a_status_is_a_violation),
        PAIR_TEST(sequence_that_does_not_start_at_one_is_a_violation),
        PAIR_TEST(repeated_sequence_is_a_violation),
        PAIR_TEST(oversize_is_refused_before_the_body_comes),
        PAIR_TEST(length_one_over_the_types_limit_is_a_violation),
        PAIR_TEST(reply_to_nothing_is_a_violation),
        PAIR_TEST(attached_descriptor_is_a_violation_and_is_not_received),
        PAIR_TEST(closed_peer_is_gone),
        PAIR_TEST(a_peer_that_never_reads_meets_a_bound),
        PAIR_TEST(replies_after_a_mark_can_be_taken_back),
        PAIR_TEST(reset_forgets_half_a_frame_and_counts_anew),
        cmocka_unit_test(many_threads_each_get_their_own_reply),
        cmocka_unit_test(calls_end_when_the_peer_is_lost_or_late_and_start_again_after_a_reset),
        cmocka_unit_test(settings_come_back_as_they_were_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
