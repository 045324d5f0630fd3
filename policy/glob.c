#include "policy/glob.h"

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
}

static bool is_same(uint8_t pattern, uint8_t byte, bool any_case)
{
    return pattern == '?' || pattern == byte || (any_case && lower(pattern) == lower(byte));
}

/* Only the last star is ever tried again, so there is no backtracking beyond it. */
static bool matches(struct view pattern, struct view text, bool any_case)
{
    size_t p = 0;
    size_t t = 0;
    bool starred = false;
    size_t star = 0;
    size_t resume = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            starred = true;
            star = p++;
            resume = t;
        } else if (p < pattern.len && is_same(pattern.data[p], text.data[t], any_case)) {
            p++;
            t++;
        } else if (starred) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

bool policy_glob_matches(struct view pattern, struct view text)
{
    return matches(pattern, text, false);
}

bool policy_glob_matches_any_case(struct view pattern, struct view text)
{
    return matches(pattern, text, true);
}
