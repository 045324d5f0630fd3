#include "cli/evidence_file.h"

#include <string.h>

#include "base/fd.h"
#include "cli/evidence_json.h"
#include "cli/evidence_text.h"

/* PCR values have a JSON of their own, which stays. A signature may begin with any byte, so that
 * what only begins like JSON is taken for bytes; a certificate never does. */
static ERRFN take_member(struct view content, enum evidence_kind kind, struct buf **out_text)
{
    err_t taken = evidence_json_member(content, kind, out_text);
    bool other = IS_E(taken, JSON_INVALID) ? kind != EVIDENCE_EK
                                           : kind == EVIDENCE_PCRS && IS_E(taken, FIELD_MISSING);
    return other ? E(NOT_FOUND) : taken;
}

static bool keylime_piece(struct view content, enum evidence_kind kind, struct view *out_base64)
{
    switch (kind) {
    case EVIDENCE_QUOTE:
        return evidence_text_keylime(content, 0, out_base64);
    case EVIDENCE_SIGNATURE:
        return evidence_text_keylime(content, 1, out_base64);
    case EVIDENCE_PCRS:
        return evidence_text_keylime(content, 2, out_base64);
    case EVIDENCE_ANY:
    case EVIDENCE_EK:
    case EVIDENCE_AK:
    case EVIDENCE_KINDS:
        return false;
    }
    return false;
}

/* One layer off. NOT_FOUND: these are bytes, or PEM. */
static ERRFN decode_once(struct view content, enum evidence_kind kind, struct buf **out_bytes)
{
    struct view piece;
    if (kind != EVIDENCE_ANY && evidence_json_is(content)) {
        return take_member(content, kind, out_bytes);
    }
    return evidence_text_decode(keylime_piece(content, kind, &piece) ? piece : content, out_bytes);
}

ERRFN evidence_decode(struct view content, enum evidence_kind kind, struct buf **out_bytes)
{
    AUTO(buf) bytes = NULL;
    TRY(evidence_text_plain(content, &bytes));
    for (int i = 0; i < EVIDENCE_LAYERS_MAX; i++) {
        struct buf *inner = NULL;
        err_t decoded = decode_once(buf_view(bytes), kind, &inner);
        if (IS_E(decoded, NOT_FOUND)) {
            break;
        }
        TRY(decoded);
        buf_free(bytes);
        bytes = inner;
    }
    *out_bytes = STEAL(bytes);
    return OK;
}

ERRFN evidence_file_read(const char *path, enum evidence_kind kind, struct buf **out_bytes)
{
    AUTO(buf) content = NULL;
    TRY(fd_read_file(strcmp(path, "-") == 0 ? "/dev/stdin" : path, EVIDENCE_FILE_MAX_BYTES,
                     &content));
    return evidence_decode(buf_view(content), kind, out_bytes);
}

const char *evidence_file_fault(err_t e)
{
    if (IS_E(e, CONFIG_UNREADABLE)) {
        return "There is no such file, or it may not be read.";
    }
    if (IS_E(e, IO)) {
        return "It is no file that can be read.";
    }
    return IS_E(e, TOO_LONG) ? "It is longer than any such evidence." : err_text(e);
}
