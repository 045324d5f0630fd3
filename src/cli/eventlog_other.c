/* What people take for a firmware's event log. Asked only when it could not be read as one, so a
 * wrong guess costs a sentence. */
#include "cli/eventlog.h"

#include <ctype.h>
#include <string.h>

#include "tpm/little_endian.h"

static const struct {
    const char *start;
    size_t len;
    const char *what;
} starts[] = {
#define START(text, what)           \
    {                               \
        text, sizeof text - 1, what \
    }
    START("---\n", "YAML, as tpm2_eventlog prints it; give the binary log"),
    START("\x1e",
          "userspace's log of systemd; give it with --userspace-log, behind the firmware's"),
    START("\x1f\x8b", "a file compressed with gzip; unpack it first"),
    START("\x28\xb5\x2f\xfd", "a file compressed with zstd; unpack it first"),
    START("\xfd"
          "7zXZ",
          "a file compressed with xz; unpack it first"),
    START("PK\x03\x04", "a ZIP archive; unpack it first"),
    START("<", "HTML or XML; perhaps the answer of a server"),
    START("-----BEGIN", "PEM; a key or certificate is no log"),
    START("\xffTCG", "a TPM's quote; `attestation evidence quote` reads it"),
    START("CCEL", "the ACPI table that says where the log is, not the log"),
    START("TPM2", "the ACPI table that says where the log is, not the log"),
    START("TCPA", "the ACPI table that says where the log is, not the log"),
    START("INIT sha", "the attestation agent's log of Confidential Containers"),
#undef START
};

static struct view without_space(struct view content)
{
    while (content.len > 0 && isspace(content.data[0])) {
        content = view_of(content.data + 1, content.len - 1);
    }
    return content;
}

static bool has(struct view content, const char *text)
{
    return memmem(content.data, content.len, text, strlen(text)) != NULL;
}

/* JSON is told by what stands in it: parsing it would not say more. */
static const char *json_kind(struct view content)
{
    if (content.data[0] != '{' && content.data[0] != '[') {
        return NULL;
    }
    if (has(content, "\"content_type\"") && content.data[0] == '{') {
        return "userspace's log of systemd; give it with --userspace-log, behind the firmware's";
    }
    if (has(content, "\"digests\"")) {
        return "a Canonical Event Log in JSON (CEL-JSON); give the binary log of the firmware";
    }
    return "JSON; give the log itself, or base64 of it";
}

/* Field by field: type, length, value, most significant byte first; the number of the record comes
 * first (TCG Canonical Event Log section 4.1). */
static bool is_cel_tlv(struct view v)
{
    uint8_t type;
    uint32_t len;
    struct view number;
    return IS_OK(view_get_u8(&v, &type, E(NOT_FOUND))) &&
           IS_OK(view_get_u32(&v, &len, E(NOT_FOUND))) && type == 0 && (len == 8 || len == 4) &&
           IS_OK(view_get_bytes(&v, len, &number, E(NOT_FOUND))) && v.len > 0 && v.data[0] <= 2;
}

/* An array, or its first record: a map with the record's number, 0, first. */
static bool is_cel_cbor(struct view v)
{
    bool array = v.len > 1 && v.data[0] >= 0x80 && v.data[0] <= 0x9f;
    v = array ? view_of(v.data + 1, v.len - 1) : v;
    return v.len > 1 && v.data[0] >= 0xa2 && v.data[0] <= 0xbf && v.data[1] == 0;
}

/* PCR 10, SHA-1, the length of a template's name, the name. */
static bool is_ima(struct view v)
{
    enum { SHA1_BYTES = 20 };
    uint32_t pcr;
    uint32_t len;
    struct view digest;
    struct view name;
    return le_take_u32(&v, &pcr) && le_take_bytes(&v, SHA1_BYTES, &digest) &&
           le_take_u32(&v, &len) && le_take_bytes(&v, len, &name) && name.len >= 3 &&
           memcmp(name.data, "ima", 3) == 0;
}

static bool is_ima_text(struct view v)
{
    return v.len > 3 && memcmp(v.data, "10 ", 3) == 0 && has(v, " ima");
}

/* Columns of numbers behind an offset, or C's notation. */
static bool is_dump(struct view v)
{
    size_t digits = 0;
    while (digits < v.len && isxdigit(v.data[digits])) {
        digits++;
    }
    bool offset = digits >= 6 && digits < v.len && strchr(": ", v.data[digits]) && v.data[0] == '0';
    bool bytes = v.len > 3 && digits == 2 && strchr(":,", v.data[2]);
    bool notation = v.len > 2 && v.data[0] == '0' && tolower(v.data[1]) == 'x';
    return offset || bytes || notation;
}

const char *eventlog_other_kind(struct view content)
{
    struct view text = without_space(content);
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (text.len >= starts[i].len && memcmp(text.data, starts[i].start, starts[i].len) == 0) {
            return starts[i].what;
        }
    }
    if (text.len > 0 && json_kind(text)) {
        return json_kind(text);
    }
    if (is_ima(content) || is_ima_text(text)) {
        return "the kernel's list of measured files (IMA), not the firmware's log";
    }
    if (is_cel_tlv(content)) {
        return "a Canonical Event Log in TLV (CEL-TLV); give the binary log of the firmware";
    }
    if (is_cel_cbor(content)) {
        return "a Canonical Event Log in CBOR (CEL-CBOR); give the binary log of the firmware";
    }
    return is_dump(text) ? "a dump of numbers with offsets or prefixes; make it plain hexadecimal "
                           "(xxd -p) or base64"
                         : NULL;
}
