#include "front/health.h"

#include <string.h>

#include "front/json_write.h"

enum { HEALTH_MAX = 2048 };

static void put_downgrades(struct json_writer *w, const char *names)
{
    json_open(w, "downgrades", '[');
    while (*names) {
        size_t len = strcspn(names, ",");
        if (len > 0) {
            json_put_text(w, NULL, view_of(names, len));
        }
        names += len + (names[len] == ',');
    }
    json_close(w, ']');
}

ERRFN health_write(const struct front_settings *settings, struct buf **out_health)
{
    AUTO(buf) health = NULL;
    TRY(buf_new(HEALTH_MAX, &health));
    struct json_writer w = {.out = health};
    json_open(&w, NULL, '{');
    json_put_text(&w, "status", view_text("ok"));
    json_put_bool(&w, "high_assurance", settings->high_assurance);
    if (settings->downgrades[0]) {
        put_downgrades(&w, settings->downgrades);
    }
    json_close(&w, '}');
    TRY(json_write_end(&w));
    *out_health = STEAL(health);
    return OK;
}
