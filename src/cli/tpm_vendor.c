#include "cli/tpm_vendor.h"

#include <stddef.h>
#include <string.h>

static const struct {
    char id[9];
    const char *name;
} vendors[] = {
    {"414D4400", "AMD"},
    {"414E5400", "Ant Group"},
    {"41544D4C", "Atmel"},
    {"4252434D", "Broadcom"},
    {"4353434F", "Cisco"},
    {"464C5953", "Flyslice"},
    {"474F4F47", "Google"},
    {"48495349", "Huawei"},
    {"48504500", "HPE"},
    {"48504900", "HPI"},
    {"49424D00", "IBM"},
    {"49424D20", "IBM"},
    {"49465800", "Infineon"},
    {"494E5443", "Intel"},
    {"4C454E00", "Lenovo"},
    {"4D534654", "Microsoft"},
    {"4E534700", "NSING"},
    {"4E534D20", "National Semiconductor"},
    {"4E544300", "Nuvoton"},
    {"4E545A00", "Nationz"},
    {"51434F4D", "Qualcomm"},
    {"524F4343", "Rockchip"},
    {"5345414C", "Wisekey"},
    {"53454345", "SecEdge"},
    {"534D5343", "SMSC"},
    {"534D534E", "Samsung"},
    {"534E5300", "Sinosun"},
    {"53544D20", "STMicroelectronics"},
    {"54584E00", "Texas Instruments"},
    {"564D5700", "VMware"},
    {"57454300", "Winbond"},
    {"00001014", "IBM software TPM"},
};

const char *tpm_vendor_name(const char *manufacturer)
{
    if (strncasecmp(manufacturer, "id:", 3) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++) {
        if (strcasecmp(manufacturer + 3, vendors[i].id) == 0) {
            return vendors[i].name;
        }
    }
    return NULL;
}
