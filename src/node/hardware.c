#include "node/hardware.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/text.h"

static const char unknown[] = "unknown";

/* One line without surrounding blanks; false when there is none or it is not printable. */
static bool read_line(const char *path, char out_text[static HARDWARE_TEXT_SIZE])
{
    AUTO(buf) content = NULL;
    if (!IS_OK(fd_read_file(path, 4096, &content))) {
        return false;
    }
    struct view line = buf_view(content);
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == ' ')) {
        line.len--;
    }
    while (line.len > 0 && line.data[0] == ' ') {
        line.data++;
        line.len--;
    }
    return line.len > 0 && text_is_clean(line) &&
           IS_OK(view_to_text(line, out_text, HARDWARE_TEXT_SIZE));
}

static void read_dmi(const char *sysfs, const char *name, char out_text[static HARDWARE_TEXT_SIZE])
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/class/dmi/id/%s", sysfs, name);
    if (!read_line(path, out_text)) {
        snprintf(out_text, HARDWARE_TEXT_SIZE, "%s", unknown);
    }
}

struct interface {
    bool has_device;
    long index;
    char mac[HARDWARE_TEXT_SIZE];
};

static bool read_interface(const char *sysfs, const char *name, struct interface *out_interface)
{
    struct interface found = {0};
    char path[PATH_MAX];
    char text[HARDWARE_TEXT_SIZE];
    snprintf(path, sizeof path, "%s/class/net/%s/type", sysfs, name);
    if (!read_line(path, text) || strcmp(text, "1") != 0) { /* ARPHRD_ETHER */
        return false;
    }
    snprintf(path, sizeof path, "%s/class/net/%s/ifindex", sysfs, name);
    found.index = read_line(path, text) ? strtol(text, NULL, 10) : LONG_MAX;
    snprintf(path, sizeof path, "%s/class/net/%s/device", sysfs, name);
    found.has_device = access(path, F_OK) == 0;
    snprintf(path, sizeof path, "%s/class/net/%s/address", sysfs, name);
    if (!read_line(path, found.mac)) {
        return false;
    }
    *out_interface = found;
    return true;
}

static bool comes_first(const struct interface *a, const struct interface *b)
{
    return a->has_device != b->has_device ? a->has_device : a->index < b->index;
}

static void read_mac(const char *sysfs, char out_mac[static HARDWARE_TEXT_SIZE])
{
    snprintf(out_mac, HARDWARE_TEXT_SIZE, "%s", unknown);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/class/net", sysfs);
    DIR *folder = opendir(path);
    if (!folder) {
        return;
    }
    struct interface best = {.index = LONG_MAX};
    bool any = false;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        struct interface found;
        if (entry->d_name[0] != '.' && read_interface(sysfs, entry->d_name, &found) &&
            (!any || comes_first(&found, &best))) {
            best = found;
            any = true;
        }
    }
    closedir(folder);
    if (any) {
        snprintf(out_mac, HARDWARE_TEXT_SIZE, "%s", best.mac);
    }
}

void hardware_read(const char *sysfs, struct hardware *out_hardware)
{
    read_dmi(sysfs, "product_uuid", out_hardware->uuid);
    read_dmi(sysfs, "product_serial", out_hardware->serial);
    read_dmi(sysfs, "product_name", out_hardware->product);
    read_mac(sysfs, out_hardware->mac);
}

ERRFN hardware_override(char field[static HARDWARE_TEXT_SIZE], const char *text)
{
    if (!text) {
        return OK;
    }
    ENSURE(text[0] && strlen(text) < HARDWARE_TEXT_SIZE && text_is_clean(view_text(text)),
           FIELD_INVALID);
    snprintf(field, HARDWARE_TEXT_SIZE, "%s", text);
    return OK;
}
