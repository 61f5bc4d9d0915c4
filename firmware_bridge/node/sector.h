/* What the logs in flash share: a sector counts only if its first unit says so, and says which came later. */
#ifndef NODE_SECTOR_H
#define NODE_SECTOR_H

#include <stdbool.h>

#include "port.h"

#define SECTOR_HEADER FLASH_UNIT

/* Number of a sealed sector, counted up by its log; 0 if the sector is erased or its seal is torn. */
uint32_t sector_number(enum port_area area, uint32_t sector);
void sector_seal(enum port_area area, uint32_t sector, uint32_t number);
/* Whether `length` bytes (at most 512) are as erasing leaves them. */
bool flash_is_erased(enum port_area area, uint32_t offset, size_t length);

#endif
