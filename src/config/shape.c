#include "config/shape.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

enum { LABEL_MAX = 63, DNS_NAME_MAX = 253, ACCOUNT_MAX = 31, HOST_TEXT_SIZE = 256 };

static bool consists_of(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

bool config_shape_is_path(const char *text)
{
    size_t len = strlen(text);
    if (text[0] != '/' || len < 2 || text[len - 1] == '/') {
        return false;
    }
    return !strstr(text, "/../") && (len < 3 || strcmp(text + len - 3, "/..") != 0);
}

bool config_shape_is_pin_file(const char *text)
{
    static const char prefix[] = "credential:";
    if (strncmp(text, prefix, sizeof prefix - 1) != 0) {
        return config_shape_is_path(text);
    }
    const char *name = text + sizeof prefix - 1;
    return name[0] != '\0' && name[0] != '.' && consists_of(name, LOWER UPPER DIGITS "._-");
}

static bool is_ip(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_label(const char *label, size_t len)
{
    return len >= 1 && len <= LABEL_MAX && label[0] != '-' && label[len - 1] != '-' &&
           strspn(label, LOWER UPPER DIGITS "-") >= len;
}

static bool is_dns_name(const char *text)
{
    if (strlen(text) > DNS_NAME_MAX || consists_of(text, DIGITS ".")) {
        return false;
    }
    const char *label = text;
    for (;;) {
        size_t len = strcspn(label, ".");
        if (!is_label(label, len)) {
            return false;
        }
        if (label[len] == '\0') {
            return true;
        }
        label += len + 1;
    }
}

bool config_shape_is_host(const char *text)
{
    return is_ip(text) || is_dns_name(text);
}

static bool is_port(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 5 && consists_of(text, DIGITS) && text[0] != '0' &&
           atoi(text) <= UINT16_MAX;
}

bool config_shape_is_listen_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (!colon || !is_port(colon + 1) || len == 0 || len >= HOST_TEXT_SIZE) {
        return false;
    }
    bool bracketed = text[0] == '[';
    if (bracketed && (len < 3 || text[len - 1] != ']')) {
        return false;
    }
    char host[HOST_TEXT_SIZE];
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? len - 2 : len),
             bracketed ? text + 1 : text);
    struct in6_addr address;
    bool v6 = inet_pton(AF_INET6, host, &address) == 1;
    return bracketed == v6 && config_shape_is_host(host);
}

void config_shape_split_address(const char *address, char *out_host, size_t size,
                                uint16_t *out_port)
{
    const char *colon = strrchr(address, ':');
    size_t len = (size_t)(colon - address);
    bool bracketed = address[0] == '[';
    snprintf(out_host, size, "%.*s", (int)(bracketed ? len - 2 : len),
             bracketed ? address + 1 : address);
    *out_port = (uint16_t)atoi(colon + 1);
}

bool config_shape_is_service_url(const char *text)
{
    static const char scheme[] = "https://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *authority = text + sizeof scheme - 1;
    size_t len = strcspn(authority, "/");
    if (len == 0 || len >= HOST_TEXT_SIZE ||
        !consists_of(authority + len, LOWER UPPER DIGITS "/._~-")) {
        return false;
    }
    char host[HOST_TEXT_SIZE];
    snprintf(host, sizeof host, "%.*s", (int)len, authority);
    if (config_shape_is_listen_address(host)) {
        return true;
    }
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        return is_ip(host + 1) && strchr(host + 1, ':');
    }
    return !strchr(host, ':') && config_shape_is_host(host);
}

bool config_shape_is_public_url(const char *text)
{
    static const char scheme[] = "http://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) {
        return config_shape_is_service_url(text);
    }
    char secure[512];
    int len = snprintf(secure, sizeof secure, "https://%s", text + sizeof scheme - 1);
    return len > 0 && (size_t)len < sizeof secure && config_shape_is_service_url(secure);
}

bool config_shape_is_trust_domain(const char *text)
{
    return consists_of(text, LOWER DIGITS ".-_");
}

bool config_shape_is_spiffe_template(const char *text)
{
    return text[0] == '/' && consists_of(text, LOWER UPPER DIGITS "/.-_{}");
}

bool config_shape_is_hash(const char *text)
{
    size_t len = strlen(text);
    return (len == 64 || len == 96) && consists_of(text, DIGITS "abcdefABCDEF");
}

bool config_shape_is_account(const char *text)
{
    if (consists_of(text, DIGITS)) {
        return strlen(text) <= 10 && strtoull(text, NULL, 10) > 0 &&
               strtoull(text, NULL, 10) < UINT32_MAX;
    }
    return strlen(text) <= ACCOUNT_MAX && strchr(LOWER "_", text[0]) && strcmp(text, "root") != 0 &&
           consists_of(text, LOWER DIGITS "_-");
}

bool config_shape_is_country(const char *text)
{
    return strlen(text) == 2 && consists_of(text, UPPER);
}

bool config_shape_is_image(const char *text)
{
    return strchr(LOWER UPPER DIGITS, text[0]) && consists_of(text, LOWER UPPER DIGITS "._-/:@");
}

static bool is_one_of(const char *text, const char *const *names)
{
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(text, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool config_shape_is_role(const char *text)
{
    static const char *const roles[] = {"controlplane", "worker-infra", "worker-app", NULL};
    return is_one_of(text, roles);
}

bool config_shape_is_ak_key(const char *text)
{
    static const char *const keys[] = {"P-256",    "P-384",    "P-521", "RSA-2048",
                                       "RSA-3072", "RSA-4096", NULL};
    return is_one_of(text, keys);
}

bool config_shape_is_variable(const char *text)
{
    static const char *const taken[] = {"LD_",  "GLIBC_", "MALLOC_", "OPENSSL_",
                                        "ITL_", "PATH",   NULL};
    for (size_t i = 0; taken[i]; i++) {
        if (strncmp(text, taken[i], strlen(taken[i])) == 0) {
            return false;
        }
    }
    return strchr(UPPER "_", text[0]) && consists_of(text, UPPER DIGITS "_");
}
