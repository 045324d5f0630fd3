#include "real.h"

#include "cmocka_all.h"

#include "base/fd.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REAL_FILE_MAX = 4 * 1024 * 1024 };

struct buf *real_file(const char *path)
{
    const char *folder = getenv("ITL_REAL_DATA");
    char full[4096];
    snprintf(full, sizeof full, "%s/%s", folder ? folder : ITL_SHARED_DATA "/real", path);
    struct buf *content = NULL;
    if (!IS_OK(fd_read_file(full, REAL_FILE_MAX, &content))) {
        fail_msg("%s is missing; set ITL_REAL_DATA", full);
    }
    return content;
}

json_t *real_json(const char *path)
{
    AUTO(buf) content = real_file(path);
    json_t *document = json_loadb((const char *)content->data, content->len, 0, NULL);
    assert_non_null(document);
    return document;
}

const char *real_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

struct buf *hex_bytes(const char *text)
{
    struct buf *bytes = NULL;
    uint8_t *at;
    size_t len = strlen(text) / 2;
    assert_true(IS_OK(buf_new(len, &bytes)));
    assert_true(IS_OK(buf_extend(bytes, len, &at)));
    assert_true(IS_OK(hex_decode(view_text(text), at, len)));
    return bytes;
}

struct buf *real_hex(const json_t *object, const char *key)
{
    return hex_bytes(real_text(object, key));
}
