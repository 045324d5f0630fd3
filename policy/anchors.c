/* What a document brings along to trust EKs by: certificates in PEM and hashes of keys. */
#include "base/text.h"
#include "policy/reader.h"

#include <stdlib.h>
#include <string.h>

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END   "-----END CERTIFICATE-----"

enum { HEX_SHA256 = 64, HEX_SHA384 = 96 };

static bool find(struct view text, const char *needle, size_t *out_at)
{
    const uint8_t *at = memmem(text.data, text.len, needle, strlen(needle));
    if (!at) {
        return false;
    }
    *out_at = (size_t)(at - text.data);
    return true;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Base64 in lines, of at least one byte. */
static ERRFN check_body(struct view body)
{
    AUTO(buf) digits = NULL;
    AUTO(buf) der = NULL;
    TRY(buf_new(POLICY_FILE_MAX_BYTES, &digits));
    TRY(buf_new(POLICY_FILE_MAX_BYTES, &der));
    while (body.len > 0) {
        size_t len = 0;
        while (len < body.len && !is_space(body.data[len])) {
            len++;
        }
        TRY(buf_put(digits, view_of(body.data, len)));
        size_t skip = len < body.len ? len + 1 : len;
        body = view_of(body.data + skip, body.len - skip);
    }
    TRY(base64_decode(buf_view(digits), der));
    ENSURE(der->len > 0, FIELD_INVALID);
    return OK;
}

/* Well-formed blocks; what stands between them is for people. Errors: FIELD_INVALID for a block
 * that is not PEM, NO_MEMORY. */
static ERRFN count_blocks(struct view text, size_t *out_count)
{
    size_t begin, end;
    size_t count = 0;
    while (find(text, PEM_BEGIN, &begin)) {
        text = view_of(text.data + begin + strlen(PEM_BEGIN), text.len - begin - strlen(PEM_BEGIN));
        ENSURE(find(text, PEM_END, &end), FIELD_INVALID);
        err_t checked = check_body(view_of(text.data, end));
        ENSURE(!IS_E(checked, NO_MEMORY), NO_MEMORY);
        ENSURE(IS_OK(checked), FIELD_INVALID);
        text = view_of(text.data + end + strlen(PEM_END), text.len - end - strlen(PEM_END));
        count++;
    }
    *out_count = count;
    return OK;
}

ERRFN policy_pem_read(const struct yaml_tree *tree, uint32_t node, err_t none_err,
                      struct buf **bundle, struct yaml_problem *out_problem)
{
    const struct yaml_node *n = &tree->nodes[node];
    size_t count = 0;
    err_t counted = n->kind == YAML_KIND_SCALAR ? count_blocks(n->text, &count) : E(FIELD_INVALID);
    ENSURE(!IS_E(counted, NO_MEMORY), NO_MEMORY);
    if (!IS_OK(counted) || count == 0) {
        IGNORE_ERR(yaml_tree_problem(tree, node, out_problem,
                                     "no certificates in PEM could be read from this text"));
        return none_err;
    }
    if (!*bundle) {
        TRY(buf_new(2 * POLICY_FILE_MAX_BYTES,
                    bundle)); /* a line end for each text that is added */
    }
    TRY(buf_put(*bundle, n->text));
    return buf_put_text(*bundle, "\n");
}

static int compare_hashes(const void *left, const void *right)
{
    return strcmp(left, right);
}

void policy_hashes_sort(struct policy *policy)
{
    size_t kept = 0;
    char(*hashes)[POLICY_HASH_SIZE] = policy->ek_allowed_hashes;
    if (policy->ek_allowed_hash_count > 0) {
        qsort(hashes, policy->ek_allowed_hash_count, sizeof *hashes, compare_hashes);
    }
    for (size_t i = 0; i < policy->ek_allowed_hash_count; i++) {
        if (kept == 0 || strcmp(hashes[i], hashes[kept - 1]) != 0) {
            memmove(hashes[kept++], hashes[i], sizeof *hashes);
        }
    }
    policy->ek_allowed_hash_count = kept;
}

/* Through bytes and back, which puts it into lower case. */
static ERRFN read_hash(const struct yaml_tree *tree, uint32_t node,
                       char out_hash[static POLICY_HASH_SIZE], struct yaml_problem *problem)
{
    uint8_t bytes[HEX_SHA384 / 2];
    const struct yaml_node *n = &tree->nodes[node];
    bool length = n->text.len == HEX_SHA256 || n->text.len == HEX_SHA384;
    if (n->kind != YAML_KIND_SCALAR || !length ||
        !IS_OK(hex_decode(n->text, bytes, n->text.len / 2))) {
        return yaml_tree_problem(
            tree, node, problem,
            "expected the SHA-256 (64 hexadecimal digits) or SHA-384 (96) of an EK's public key");
    }
    hex_encode(view_of(bytes, n->text.len / 2), out_hash);
    return OK;
}

ERRFN policy_hashes_read(struct policy *policy, const struct yaml_tree *tree, uint32_t node,
                         struct yaml_problem *out_problem)
{
    size_t room = POLICY_HASHES_MAX - policy->ek_allowed_hash_count;
    TRY(yaml_value_is_sequence(tree, node, room, out_problem));
    size_t count = policy->ek_allowed_hash_count + yaml_tree_size(tree, node);
    if (count == policy->ek_allowed_hash_count) {
        return yaml_tree_problem(tree, node, out_problem, "expected one hash at least");
    }
    char(*hashes)[POLICY_HASH_SIZE] =
        reallocarray(policy->ek_allowed_hashes, count, sizeof *hashes);
    ENSURE(hashes, NO_MEMORY);
    policy->ek_allowed_hashes = hashes;
    EACH_ITEM(tree, node, item)
    {
        TRY(read_hash(tree, item, hashes[policy->ek_allowed_hash_count], out_problem));
        policy->ek_allowed_hash_count++;
    }
    return OK;
}
