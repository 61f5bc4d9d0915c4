/* A few small values in two sectors of flash; a power cut leaves each as it was before or as it is after. */
#ifndef NODE_SETTINGS_H
#define NODE_SETTINGS_H

#include <stdbool.h>

#include "port.h"

#define SETTING_MAX 64 /* bytes of a value */

enum setting {
    SETTING_BOOT_ID = 1, /* u32: counts the starts */
    SETTING_OWNER,       /* struct owner of node.h, absent when unclaimed */
    SETTING_HUB_COUNTER, /* u64: highest counter of the hub that was acted on */
    SETTING_UPLOAD,      /* length and hash of the image that is being uploaded */
    SETTING_FIELD,       /* the empty bay's field (points.c) */
    SETTING_SWAP,        /* what the boot loader has begun (boot.c; in AREA_BOOT) */
    SETTING_END,
};

struct settings {
    enum port_area area;
    uint32_t sector;
    uint32_t number; /* of the sector in use, 0: none yet */
    uint32_t end;    /* offset in the sector where the next record goes; FLASH_SECTOR: none fits */
};

void settings_open(struct settings *settings, enum port_area area);
/* Whether `key` has a value of exactly `length` bytes; copies it. */
bool settings_get(const struct settings *settings, enum setting key, void *value, size_t length);
/* `length` 0 removes the value. */
void settings_put(struct settings *settings, enum setting key, const void *value, size_t length);

#endif
