/* Everything that arrives on a channel: the frame reader with arbitrary bytes, and each message's decoder with an arbitrary body. What decodes
 * must encode to the same bytes. */
#include "ipc/channel.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(name)                                                                                \
    {                                                                                              \
        struct ipc_##name message;                                                                 \
        AUTO(buf) again = NULL;                                                                    \
        if (IS_OK(ipc_get_##name(body, &message)) && IS_OK(buf_new(4 * 1024 * 1024, &again)) &&    \
            (!IS_OK(ipc_put_##name(again, &message)) || !view_equal(buf_view(again), body))) {     \
            abort();                                                                               \
        }                                                                                          \
    }

static void decode_bodies(struct view body)
{
#define M(channel, name, number, states) CHECK(name##_request) CHECK(name##_reply)
    IPC_MESSAGES(M)
#undef M
}

static void read_frames(const uint8_t *data, size_t size)
{
    int ends[2];
    AUTO(ipc_channel) channel = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return;
    }
    if (IS_OK(ipc_channel_new(ends[1], IPC_CHANNEL_API, &channel)) &&
        send(ends[0], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 && IS_OK(ipc_channel_receive(channel))) {
        bool found = true;
        struct ipc_frame frame;
        while (found && IS_OK(ipc_channel_next(channel, &found, &frame))) {
        }
    }
    close(ends[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] % 2 == 0) {
        decode_bodies(view_of(data + 1, size - 1));
    } else if (size > 0 && size < 100000) {
        read_frames(data + 1, size - 1);
    }
    return 0;
}
