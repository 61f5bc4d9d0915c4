/* What a board must provide, and all that the node knows of the world. port_host.c is the example: a Linux process. */
#ifndef NODE_PORT_H
#define NODE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Flash: a byte can be written once after erasing; writes begin and end at multiples of FLASH_UNIT. ---- */

#define FLASH_UNIT 8      /* bytes; NOR flash with error correction programs 8 at once (STM32L4, nRF: 4) */
#define FLASH_SECTOR 4096 /* bytes that are erased at once */

enum port_area {
    AREA_RUNNING,   /* the image that runs */
    AREA_SPARE,     /* the one that was uploaded, or the one that ran before */
    AREA_SCRATCH,   /* one sector: the boot loader's exchange goes through it */
    AREA_BOOT,      /* two sectors: what the boot loader has begun */
    AREA_SETTINGS,  /* two sectors: owner, counters */
    AREA_ALARMS,    /* events that must not be lost */
    AREA_TELEMETRY, /* events that may be, oldest first */
    AREA_COUNT,
};

#define SLOT_SECTORS 32U
#define ALARM_SECTORS 16U
#define TELEMETRY_SECTORS 48U

static inline uint32_t area_sectors(enum port_area area) {
    static const uint32_t sectors[AREA_COUNT] = {SLOT_SECTORS, SLOT_SECTORS, 1, 2, 2, ALARM_SECTORS, TELEMETRY_SECTORS};
    return sectors[area];
}

/* Offsets are bytes from the area's begin; the caller stays inside it. A board whose flash reports an error resets. */
void port_flash_read(enum port_area area, uint32_t offset, void *data, size_t length);
void port_flash_write(enum port_area area, uint32_t offset, const void *data, size_t length);
void port_flash_erase(enum port_area area, uint32_t sector);

/* ---- Link: one frame (UDP) or bytes (serial). Never blocks. ---- */

bool port_is_serial(void);
/* Up to `capacity` bytes that came in, or one datagram; 0 when there is none. What is longer than `capacity` is cut. */
size_t port_receive(uint8_t *data, size_t capacity);
/* Bytes that port_send takes now without losing any. */
size_t port_room(void);
/* `answer`: to whoever sent what was received last; else to the hub. Too much for the room is dropped whole. */
void port_send(const uint8_t *data, size_t length, bool answer);
/* One line for a person at the serial console, or in the log. */
void port_print(const char *text);

/* ---- Sensors and outputs ---- */

bool port_door_open(void);             /* the contact as it is, bounce included */
void port_field(int32_t nanotesla[3]); /* magnetometer, three axes, within +/- 1,000,000 */
int port_battery(void);                /* percent, -1 on mains */
void port_relay(bool on);
bool port_release_pressed(void); /* the service button was held for 5 s: forget the owner. True once. */

/* ---- Trust ---- */

struct port_sha256 { /* room for the port's own state */
    uint64_t space[16];
};
void port_sha256_begin(struct port_sha256 *hash);
void port_sha256_add(struct port_sha256 *hash, const void *data, size_t length);
void port_sha256_end(struct port_sha256 *hash, uint8_t digest[32]);
/* Pure Ed25519 (RFC 8032) with the signer's key that this board was built with. */
bool port_ed25519_verify(const uint8_t signature[64], const uint8_t *message, size_t length);
/* What an image's TLV 0x01 must be: SHA-256 of the signer's public key in DER, as MCUboot's imgtool writes it. */
void port_signer_digest(uint8_t digest[32]);
void port_random(uint8_t *data, size_t length);

/* ---- Life ---- */

enum port_why { WHY_POWER, WHY_RESET, WHY_CRASH, WHY_BROWNOUT };
enum port_why port_why(void);
/* Starts the boot loader anew; does not return on a board. */
void port_reset(enum port_why why);
/* A test bench's fault: whether this event is to be sent a second time. A board answers false. */
bool port_duplicates(void);

#endif
