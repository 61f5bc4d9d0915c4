/* What stands in the running slot of a node that was never updated: an image without a signature. */
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "host.h"

static size_t put_tlv(uint8_t *at, uint16_t type, const void *value, size_t length) {
    put_le16(at, type);
    put_le16(at + 2, (uint16_t)length);
    memcpy(at + 4, value, length);
    return 4 + length;
}

void factory_write(const char *version, const char *model) {
    static const char body[] = "menshen reference node";
    static const uint8_t counter[4] = {0};
    uint8_t image[256];
    unsigned number[3] = {1, 0, 0};
    sscanf(version, "%u.%u.%u", &number[0], &number[1], &number[2]);
    memset(image, 0, sizeof image);
    size_t at = 32 + sizeof body;
    memcpy(image + 32, body, sizeof body);
    size_t protected_at = at;
    at += 4;
    at += put_tlv(image + at, 0x50, counter, sizeof counter);
    at += put_tlv(image + at, 0xA0, model, strlen(model));
    put_le16(image + protected_at, 0x6908);
    put_le16(image + protected_at + 2, (uint16_t)(at - protected_at));
    put_le32(image, 0x96F3B83D);
    put_le16(image + 8, 32);
    put_le16(image + 10, (uint16_t)(at - protected_at));
    put_le32(image + 12, sizeof body);
    image[20] = (uint8_t)number[0];
    image[21] = (uint8_t)number[1];
    put_le16(image + 22, (uint16_t)number[2]);
    uint8_t digest[32];
    struct port_sha256 hash;
    port_sha256_begin(&hash);
    port_sha256_add(&hash, image, at);
    port_sha256_end(&hash, digest);
    put_le16(image + at, 0x6907);
    put_le16(image + at + 2, 4 + 4 + sizeof digest);
    at += 4;
    at += put_tlv(image + at, 0x10, digest, sizeof digest);
    for (uint32_t sector = 0; sector < SLOT_SECTORS; sector++)
        port_flash_erase(AREA_RUNNING, sector);
    memset(image + at, 0xFF, sizeof image - at);
    port_flash_write(AREA_RUNNING, 0, image, (at + FLASH_UNIT - 1) / FLASH_UNIT * FLASH_UNIT);
}
