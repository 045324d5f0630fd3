#include "talos/fact.h"

#include "talos/machine_config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM  LOWER UPPER DIGITS

enum {
    LABEL_MAX = 63,
    HOSTNAME_MAX = 253,
    FINGERPRINT_DIGITS = 96,
    CIDR_TEXT_SIZE = INET6_ADDRSTRLEN + 4
};

static bool consists_of(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

static bool is_alnum_at(const char *text, size_t at)
{
    return text[at] != '\0' && strchr(ALNUM, text[at]);
}

bool fact_is_label_value(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= LABEL_MAX && consists_of(text, ALNUM "._-") && is_alnum_at(text, 0) &&
           is_alnum_at(text, len - 1);
}

bool fact_is_fingerprint(const char *text)
{
    return strlen(text) == FINGERPRINT_DIGITS && consists_of(text, DIGITS "abcdefABCDEF");
}

bool fact_is_image(const char *text)
{
    return strlen(text) < MACHINE_CONFIG_URL_MAX && is_alnum_at(text, 0) &&
           consists_of(text, ALNUM "._-/:@");
}

bool fact_is_url(const char *text)
{
    static const char scheme[] = "https://";
    return strlen(text) < MACHINE_CONFIG_URL_MAX && strncmp(text, scheme, sizeof scheme - 1) == 0 &&
           strlen(text) > sizeof scheme - 1 && consists_of(text, ALNUM "._~:/[]@!$&()*+,;=%-");
}

static bool is_host_label(const char *label, size_t len)
{
    return len >= 1 && len <= LABEL_MAX && label[0] != '-' && label[len - 1] != '-' &&
           strspn(label, LOWER DIGITS "-") >= len;
}

bool machine_config_hostname_valid(struct view hostname)
{
    char text[HOSTNAME_MAX + 1];
    if (hostname.len == 0 || !IS_OK(view_to_text(hostname, text, sizeof text)) ||
        consists_of(text, DIGITS ".")) {
        return false;
    }
    const char *label = text;
    for (;;) {
        size_t len = strcspn(label, ".");
        if (!is_host_label(label, len)) {
            return false;
        }
        if (label[len] == '\0') {
            return true;
        }
        label += len + 1;
    }
}

static bool is_prefix_length(const char *text, int max)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 3 && consists_of(text, DIGITS) && (len == 1 || text[0] != '0') &&
           atoi(text) >= 1 && atoi(text) <= max;
}

static bool is_host_v4(const char *text)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1) {
        return false;
    }
    uint32_t value = ntohl(address.s_addr);
    return value >> 24 != 0 && value >> 24 != 127 &&
           value >> 28 < 14; /* not this net, loopback, multicast and up */
}

static bool is_host_v6(const char *text)
{
    struct in6_addr address;
    return inet_pton(AF_INET6, text, &address) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&address) &&
           !IN6_IS_ADDR_LOOPBACK(&address) && !IN6_IS_ADDR_MULTICAST(&address) &&
           !IN6_IS_ADDR_V4MAPPED(&address);
}

bool machine_config_address_valid(struct view cidr)
{
    char text[CIDR_TEXT_SIZE];
    if (!IS_OK(view_to_text(cidr, text, sizeof text))) {
        return false;
    }
    char *slash = strchr(text, '/');
    if (!slash) {
        return false;
    }
    *slash = '\0';
    return (is_host_v4(text) && is_prefix_length(slash + 1, 32)) ||
           (is_host_v6(text) && is_prefix_length(slash + 1, 128));
}
