/* The offset is not written down: what is written shows it. Sectors fill one after the other, so all before the last
   one with anything in it are whole; that one is erased and asked for again. */
#include "upload.h"

#include <string.h>

#include "bytes.h"
#include "sector.h"

#define RECORD 36 /* length, sha */

static bool sector_is_empty(uint32_t sector) {
    for (uint32_t at = 0; at < FLASH_SECTOR; at += 512)
        if (!flash_is_erased(AREA_SPARE, sector * FLASH_SECTOR + at, 512))
            return false;
    return true;
}

void upload_open(struct upload *upload, const struct settings *settings) {
    uint8_t record[RECORD];
    *upload = (struct upload){0};
    if (!settings_get(settings, SETTING_UPLOAD, record, sizeof record))
        return;
    upload->length = le32(record);
    memcpy(upload->sha, record + 4, sizeof upload->sha);
    upload->offset = upload->length;
    if (upload_matches(upload))
        return; /* it was complete */
    uint32_t sector = (upload->length + FLASH_SECTOR - 1) / FLASH_SECTOR;
    while (sector > 0 && sector_is_empty(sector - 1))
        sector--;
    if (sector > 0)
        port_flash_erase(AREA_SPARE, --sector);
    upload->offset = sector * FLASH_SECTOR;
}

void upload_erase(struct upload *upload, struct settings *settings) {
    settings_put(settings, SETTING_UPLOAD, NULL, 0); /* first: half an erased slot is nobody's upload */
    for (uint32_t sector = 0; sector < SLOT_SECTORS; sector++)
        if (!sector_is_empty(sector))
            port_flash_erase(AREA_SPARE, sector);
    *upload = (struct upload){0};
}

void upload_begin(struct upload *upload, struct settings *settings, uint32_t length, const uint8_t sha[32]) {
    uint8_t record[RECORD];
    if (upload->length == length && memcmp(upload->sha, sha, sizeof upload->sha) == 0 &&
        (upload->offset < length || upload_matches(upload)))
        return;
    upload_erase(upload, settings);
    upload->length = length;
    memcpy(upload->sha, sha, sizeof upload->sha);
    put_le32(record, length);
    memcpy(record + 4, sha, sizeof upload->sha);
    settings_put(settings, SETTING_UPLOAD, record, sizeof record);
}

void upload_take(struct upload *upload, uint32_t offset, const uint8_t *data, size_t length) {
    if (offset != upload->offset || length > upload->length - upload->offset)
        return;
    for (size_t i = 0; i < length; i++) {
        uint32_t in_unit = upload->offset % FLASH_UNIT;
        upload->rest[in_unit] = data[i];
        upload->offset++;
        if (in_unit == FLASH_UNIT - 1 || upload->offset == upload->length) {
            memset(upload->rest + in_unit + 1, 0xFF, FLASH_UNIT - 1 - in_unit);
            port_flash_write(AREA_SPARE, upload->offset - 1 - in_unit, upload->rest, FLASH_UNIT);
        }
    }
}

bool upload_matches(const struct upload *upload) {
    uint8_t digest[32];
    uint8_t chunk[256];
    struct port_sha256 hash;
    if (upload->length == 0 || upload->length > SLOT_SECTORS * FLASH_SECTOR || upload->offset != upload->length)
        return false;
    port_sha256_begin(&hash);
    for (uint32_t at = 0; at < upload->length; at += (uint32_t)sizeof chunk) {
        size_t count = upload->length - at < sizeof chunk ? upload->length - at : sizeof chunk;
        port_flash_read(AREA_SPARE, at, chunk, count);
        port_sha256_add(&hash, chunk, count);
    }
    port_sha256_end(&hash, digest);
    return memcmp(digest, upload->sha, sizeof digest) == 0;
}
