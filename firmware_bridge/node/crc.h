/* Two checksums: CRC-16/XMODEM of the serial console's packets, CRC-32 (IEEE 802.3) of what stands in flash. */
#ifndef NODE_CRC_H
#define NODE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Polynomial 0x1021, start 0, not reflected. */
uint16_t crc16(const uint8_t *data, size_t length);

/* Polynomial 0xEDB88320 reflected; start with `crc` 0 and feed what came out to go on. */
uint32_t crc32(uint32_t crc, const uint8_t *data, size_t length);

#endif
