/* Records are appended and the last one of a key counts. A full or torn sector is left by copying what counts into the
   other one, whose seal is written last: before it the old sector counts, after it the new one. */
#include "settings.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "sector.h"

#define RECORD_HEADER 8 /* key, length, 2 spare, checksum */

struct record {
    uint8_t key;
    uint8_t length;
    uint8_t value[SETTING_MAX];
};

static uint32_t record_size(size_t length) {
    return RECORD_HEADER + (uint32_t)((length + FLASH_UNIT - 1) / FLASH_UNIT * FLASH_UNIT);
}

static uint32_t checksum(const struct record *record) {
    const uint8_t head[2] = {record->key, record->length};
    return crc32(crc32(0, head, sizeof head), record->value, record->length);
}

/* False at the end of the records or at a torn one; `*torn` says which. */
static bool read_record(enum port_area area, uint32_t sector, uint32_t offset, struct record *record, bool *torn) {
    uint8_t head[RECORD_HEADER];
    *torn = false;
    if (offset + RECORD_HEADER > FLASH_SECTOR)
        return false;
    uint32_t at = sector * FLASH_SECTOR + offset;
    if (flash_is_erased(area, at, RECORD_HEADER))
        return false;
    *torn = true;
    port_flash_read(area, at, head, sizeof head);
    record->key = head[0];
    record->length = head[1];
    if (record->length > SETTING_MAX || offset + record_size(record->length) > FLASH_SECTOR)
        return false;
    port_flash_read(area, at + RECORD_HEADER, record->value, record->length);
    *torn = le32(head + 4) != checksum(record);
    return !*torn;
}

static void write_record(enum port_area area, uint32_t sector, uint32_t offset, const struct record *record) {
    uint8_t bytes[RECORD_HEADER + SETTING_MAX];
    memset(bytes, 0, sizeof bytes);
    bytes[0] = record->key;
    bytes[1] = record->length;
    put_le32(bytes + 4, checksum(record));
    memcpy(bytes + RECORD_HEADER, record->value, record->length);
    port_flash_write(area, sector * FLASH_SECTOR + offset, bytes, record_size(record->length));
}

void settings_open(struct settings *settings, enum port_area area) {
    *settings = (struct settings){.area = area, .end = FLASH_SECTOR};
    for (uint32_t sector = 0; sector < 2; sector++) {
        uint32_t number = sector_number(area, sector);
        if (number > settings->number) {
            settings->number = number;
            settings->sector = sector;
        }
    }
    if (settings->number == 0)
        return;
    struct record record;
    bool torn;
    uint32_t offset = SECTOR_HEADER;
    while (read_record(area, settings->sector, offset, &record, &torn))
        offset += record_size(record.length);
    settings->end = torn ? FLASH_SECTOR : offset; /* nothing is written behind a torn record */
}

/* The last record of `key` in the sector in use. */
static bool find(const struct settings *settings, uint8_t key, struct record *found) {
    struct record record;
    bool torn;
    bool any = false;
    uint32_t offset = SECTOR_HEADER;
    while (settings->number > 0 && read_record(settings->area, settings->sector, offset, &record, &torn)) {
        if (record.key == key) {
            *found = record;
            any = true;
        }
        offset += record_size(record.length);
    }
    return any && found->length > 0;
}

bool settings_get(const struct settings *settings, enum setting key, void *value, size_t length) {
    struct record record;
    if (!find(settings, (uint8_t)key, &record) || record.length != length)
        return false;
    memcpy(value, record.value, length);
    return true;
}

/* Everything but `replaced` goes on in the other sector. */
static void move(struct settings *settings, const struct record *replaced) {
    uint32_t other = settings->number == 0 ? 0 : 1 - settings->sector;
    uint32_t offset = SECTOR_HEADER;
    port_flash_erase(settings->area, other);
    for (uint8_t key = 1; key < SETTING_END; key++) {
        struct record record;
        if (key == replaced->key)
            record = *replaced;
        else if (!find(settings, key, &record))
            continue;
        write_record(settings->area, other, offset, &record);
        offset += record_size(record.length);
    }
    sector_seal(settings->area, other, settings->number + 1);
    settings->sector = other;
    settings->number++;
    settings->end = offset;
}

void settings_put(struct settings *settings, enum setting key, const void *value, size_t length) {
    struct record record = {.key = (uint8_t)key, .length = (uint8_t)length};
    if (length > 0)
        memcpy(record.value, value, length);
    if (settings->end + record_size(length) > FLASH_SECTOR) {
        move(settings, &record);
        return;
    }
    write_record(settings->area, settings->sector, settings->end, &record);
    settings->end += record_size(length);
}
