#include "pki/spiffe.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char SEGMENT_CHARACTERS[] = LOWER UPPER DIGITS ".-_";

static const struct variable {
    const char *name; /* with its braces */
    size_t offset;
    bool tcg_notation; /* may begin with "id:" */
    bool identifies;   /* differs from machine to machine */
} variables[] = {
    {"{{tpm_ek.public_hash}}", offsetof(struct spiffe_facts, public_hash), false, true},
    {"{{tpm_ek.serial_number}}", offsetof(struct spiffe_facts, serial_number), false, true},
    {"{{tpm_ek.manufacturer}}", offsetof(struct spiffe_facts, manufacturer), true, false},
    {"{{tpm_ek.model}}", offsetof(struct spiffe_facts, model), false, false},
    {"{{tpm_ek.version}}", offsetof(struct spiffe_facts, version), true, false},
    {"{{machine_id}}", offsetof(struct spiffe_facts, machine_id), false, true},
    {"{{role}}", offsetof(struct spiffe_facts, role), false, false},
    {"{{cluster}}", offsetof(struct spiffe_facts, cluster), false, false},
    {"{{hostname}}", offsetof(struct spiffe_facts, hostname), false, true},
};

enum { VARIABLE_COUNT = sizeof variables / sizeof variables[0] };

bool spiffe_trust_domain_valid(const char *trust_domain)
{
    size_t len = strlen(trust_domain);
    return len > 0 && len < SPIFFE_TRUST_DOMAIN_SIZE && strspn(trust_domain, LOWER DIGITS ".-_") == len;
}

static const struct variable *variable_at(const char *text)
{
    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        if (strncmp(text, variables[i].name, strlen(variables[i].name)) == 0) {
            return &variables[i];
        }
    }
    return NULL;
}

/* No empty segment, none that is "." or "..", no slash at the end (section 2.2). */
static bool path_is_valid(const char *path)
{
    if (path[0] != '/') {
        return false;
    }
    for (const char *at = path; *at;) {
        const char *segment = at + 1;
        size_t len = strcspn(segment, "/");
        bool dots = (len == 1 && segment[0] == '.') || (len == 2 && segment[0] == '.' && segment[1] == '.');
        if (len == 0 || dots || strspn(segment, SEGMENT_CHARACTERS) < len) {
            return false;
        }
        at = segment + len;
    }
    return true;
}

static bool append(char *out_text, size_t size, size_t *len, const char *bytes, size_t count)
{
    if (count >= size - *len) {
        return false;
    }
    memcpy(out_text + *len, bytes, count);
    *len += count;
    out_text[*len] = '\0';
    return true;
}

static const char *value_of(const struct variable *variable, const struct spiffe_facts *facts)
{
    const char *value;
    memcpy(&value, (const char *)facts + variable->offset, sizeof value);
    return variable->tcg_notation && strncmp(value, "id:", 3) == 0 ? value + 3 : value;
}

/* Writes the path; false when a value does not fit into a segment. */
static bool expand(const char *template, const struct spiffe_facts *facts, char *out_path, size_t size)
{
    size_t len = 0;
    out_path[0] = '\0';
    for (const char *at = template; *at;) {
        const struct variable *variable = variable_at(at);
        const char *text = variable ? value_of(variable, facts) : at;
        size_t count = variable ? strlen(text) : 1;
        if (variable && (count == 0 || strspn(text, SEGMENT_CHARACTERS) < count)) {
            return false;
        }
        if (!append(out_path, size, &len, text, count)) {
            return false;
        }
        at += variable ? strlen(variable->name) : 1;
    }
    return path_is_valid(out_path);
}

bool spiffe_template_valid(const char *template)
{
    static const struct spiffe_facts sample = {"a", "a", "a", "a", "a", "a", "a", "a", "a"};
    char path[SPIFFE_TEMPLATE_SIZE];
    bool identifies = false;
    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        identifies = identifies || (variables[i].identifies && strstr(template, variables[i].name));
    }
    return identifies && strlen(template) < SPIFFE_TEMPLATE_SIZE && expand(template, &sample, path, sizeof path);
}

ERRFN spiffe_id_make(const char *trust_domain, const char *template, const struct spiffe_facts *facts,
                     char out_id[static SPIFFE_ID_SIZE])
{
    char path[SPIFFE_ID_SIZE];
    char id[SPIFFE_ID_SIZE];
    ENSURE(expand(template, facts, path, sizeof path), SPIFFE_ID);
    int len = snprintf(id, sizeof id, "spiffe://%s%s", trust_domain, path);
    ENSURE(len > 0 && (size_t)len < sizeof id, SPIFFE_ID);
    memcpy(out_id, id, sizeof id);
    return OK;
}
