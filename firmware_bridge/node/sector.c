/* The seal is one unit: the number and its checksum. A torn one has a wrong checksum. */
#include "sector.h"

#include "bytes.h"
#include "crc.h"

#define SEAL 0x4D53U /* where the checksum starts: from 0, that of erased flash would be right */

uint32_t sector_number(enum port_area area, uint32_t sector) {
    uint8_t seal[SECTOR_HEADER];
    port_flash_read(area, sector * FLASH_SECTOR, seal, sizeof seal);
    return le32(seal + 4) == crc32(SEAL, seal, 4) ? le32(seal) : 0;
}

void sector_seal(enum port_area area, uint32_t sector, uint32_t number) {
    uint8_t seal[SECTOR_HEADER];
    put_le32(seal, number);
    put_le32(seal + 4, crc32(SEAL, seal, 4));
    port_flash_write(area, sector * FLASH_SECTOR, seal, sizeof seal);
}

bool flash_is_erased(enum port_area area, uint32_t offset, size_t length) {
    uint8_t data[64];
    for (size_t done = 0; done < length; done += sizeof data) {
        size_t count = length - done < sizeof data ? length - done : sizeof data;
        port_flash_read(area, offset + (uint32_t)done, data, count);
        for (size_t i = 0; i < count; i++)
            if (data[i] != 0xFF)
                return false;
    }
    return true;
}
