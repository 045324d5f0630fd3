/* Host names and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "talos/machine_config.h"

#include <stdio.h>
#include <string.h>

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void host_names_follow_rfc_1123(void **state)
{
    (void)state;
    static const char *const good[] = {"a",     "node-1", "n1.example.org",
                                       "1node", A63,      A63 "." A63 "." A63 ".b"};
    static const char *const bad[] = {
        "",          "-a",   "a-",  "a..b",     ".a",  "a.",    "a_b",
        "A",         "a b",  "a\n", "10.0.0.1", "123", A63 "a", A63 "." A63 "." A63 "." A63,
        "n\xc3\xa9", "a\"b", "a:b", "$(id)",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!machine_config_hostname_valid(view_text(good[i]))) {
            fail_msg("refused: %s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (machine_config_hostname_valid(view_text(bad[i]))) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    assert_false(machine_config_hostname_valid(view_of("a\0b", 3)));
}

static void addresses_are_hosts_with_a_prefix_length(void **state)
{
    (void)state;
    static const char *const good[] = {
        "10.0.0.7/24", "192.168.1.1/32", "1.2.3.4/1", "2001:db8::7/64",
        "fd00::1/128", "fe80::1/10",     "::2/128",
    };
    static const char *const bad[] = {
        "",
        "10.0.0.7",
        "10.0.0.7/",
        "10.0.0.7/0",
        "10.0.0.7/33",
        "10.0.0.7/024",
        "10.0.0.7/-1",
        "10.0.0.7/2 ",
        "10.0.0/24",
        "10.0.0.256/24",
        "010.0.0.1/24",
        "0.0.0.0/8",
        "127.0.0.1/8",
        "224.0.0.1/24",
        "255.255.255.255/32",
        "2001:db8::7/129",
        "::/64",
        "::1/128",
        "ff02::1/64",
        "::ffff:10.0.0.1/96",
        "fe80::1%eth0/64",
        "[fd00::1]/64",
        "10.0.0.7/24/24",
        "10.0.0.7\n/24",
        "/24",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!machine_config_address_valid(view_text(good[i]))) {
            fail_msg("refused: %s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (machine_config_address_valid(view_text(bad[i]))) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    assert_false(machine_config_address_valid(view_of("10.0.0.7/24\0", 12)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_names_follow_rfc_1123),
        cmocka_unit_test(addresses_are_hosts_with_a_prefix_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
