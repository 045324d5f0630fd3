#include "provision/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/random.h"
#include "base/text.h"
#include "hsm/hsm.h"
#include "provision/say.h"

/* 144 bits in 24 characters: pkcs11-provider cuts a PIN that it reads from a file itself at 31. */
enum {
    PIN_RANDOM_BYTES = 18,
    PIN_TEXT_BYTES = 24,
    LINE_END_BYTES = 2,
    PIN_PATH_SIZE = CONFIG_PATH_SIZE + 16
};

static void officer_path(const struct config_token *token, char out_path[static PIN_PATH_SIZE])
{
    snprintf(out_path, PIN_PATH_SIZE, "%s.officer", token->pin_file);
}

static ERRFN write_new(const char *path, struct view text)
{
    AUTO(fd) fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    ENSURE(fd >= 0, IO);
    TRY(fd_write_full(fd, text.data, text.len));
    ENSURE(fsync(fd) == 0, IO);
    return OK;
}

static ERRFN make_pin(const char *path)
{
    if (place_exists(path)) {
        say("kept", "%s", path);
        return OK;
    }
    uint8_t bytes[PIN_RANDOM_BYTES];
    random_bytes(bytes, sizeof bytes);
    AUTO(buf) text = NULL;
    err_t err = buf_new(PIN_TEXT_BYTES, &text);
    if (IS_OK(err)) {
        err = buf_put_base64url(text, view_of(bytes, sizeof bytes));
    }
    bytes_wipe(bytes, sizeof bytes);
    if (IS_OK(err)) {
        err = write_new(path, buf_view(text));
    }
    if (!IS_OK(err)) {
        return say_problem(err, "writing %s", path);
    }
    say("made", "%s", path);
    return OK;
}

ERRFN pin_prepare(const struct ceremony *c, const struct config_token *token)
{
    if (!c->make_pins) {
        return OK;
    }
    char folder[CONFIG_PATH_SIZE];
    char officer[PIN_PATH_SIZE];
    TRY(place_parent(token->pin_file, folder, sizeof folder));
    if (!place_exists(folder)) {
        TRY(place_folder(folder, OWNER_ROOT, 0700));
    }
    officer_path(token, officer);
    TRY(make_pin(token->pin_file));
    return make_pin(officer);
}

static ERRFN read_pin(const char *path, struct secret **out_pin)
{
    err_t err = secret_read_file(path, HSM_PIN_MAX_BYTES + LINE_END_BYTES, out_pin);
    if (IS_OK(err)) {
        return OK;
    }
    if (IS_E(err, CONFIG_INVALID)) {
        return say_problem(err, "%s is empty, or others than its owner may read it (chmod 0600)",
                           path);
    }
    return say_problem(err, "PIN file %s (--make-pins makes one)", path);
}

ERRFN pin_read(const struct config_token *token, struct secret **out_pin)
{
    return read_pin(token->pin_file, out_pin);
}

ERRFN pin_read_officer(const struct config_token *token, struct secret **out_pin)
{
    char path[PIN_PATH_SIZE];
    officer_path(token, path);
    return read_pin(path, out_pin);
}
