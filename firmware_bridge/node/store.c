/* A ring of sectors with slots of fixed size. The last unit of a slot stays erased until the event was answered, so an
   answer costs one write and no erasing. A torn slot has a wrong checksum and is passed over. When a ring is full its
   oldest sector goes; alarms and telemetry have a ring each, so telemetry never displaces an alarm. */
#include "store.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"
#include "sector.h"

#define BODY 40 /* event, checksum, 4 spare */
#define SLOT (BODY + FLASH_UNIT)
#define SLOTS ((FLASH_SECTOR - SECTOR_HEADER) / SLOT)

static uint32_t offset_of(uint32_t index) {
    return index / SLOTS * FLASH_SECTOR + SECTOR_HEADER + index % SLOTS * SLOT;
}

static void encode(const struct event *event, uint8_t body[BODY]) {
    memset(body, 0, BODY);
    put_le32(body, event->boot);
    put_le32(body + 4, event->seq);
    put_le64(body + 8, event->up);
    put_le64(body + 16, event->wall);
    put_le32(body + 24, (uint32_t)event->value);
    body[28] = event->point;
    body[29] = event->is_switch;
    body[30] = event->telemetry;
    put_le32(body + 32, crc32(0, body, 32));
}

static bool read_event(enum port_area area, uint32_t index, struct event *event) {
    uint8_t body[BODY];
    port_flash_read(area, offset_of(index), body, sizeof body);
    if (le32(body + 32) != crc32(0, body, 32))
        return false;
    *event = (struct event){
        .boot = le32(body),
        .seq = le32(body + 4),
        .up = le64(body + 8),
        .wall = le64(body + 16),
        .value = (int32_t)le32(body + 24),
        .point = body[28],
        .is_switch = body[29] != 0,
        .telemetry = body[30] != 0,
    };
    return true;
}

static bool is_open(enum port_area area, uint32_t index) {
    return flash_is_erased(area, offset_of(index) + BODY, FLASH_UNIT);
}

/* Sectors are numbered from 1 in the order in which they were begun, and stand in that order round the ring. */
static uint32_t sector_of(const struct ring *ring, uint32_t number) { return (number - 1) % area_sectors(ring->area); }

static uint32_t index_of(const struct ring *ring, uint32_t position) {
    return sector_of(ring, position / SLOTS) * SLOTS + position % SLOTS;
}

static uint32_t end_of(const struct ring *ring) { return ring->number * SLOTS + ring->slot; }

static void ring_open(struct ring *ring, enum port_area area) {
    *ring = (struct ring){.area = area, .slot = SLOTS};
    for (uint32_t sector = 0; sector < area_sectors(area); sector++) {
        uint32_t number = sector_number(area, sector);
        if (number > ring->number && sector_of(ring, number) == sector)
            ring->number = number;
    }
    if (ring->number == 0)
        return;
    while (ring->slot > 0 && flash_is_erased(area, offset_of(index_of(ring, end_of(ring) - 1)), SLOT))
        ring->slot--;
    uint32_t sectors = area_sectors(area);
    ring->ahead = (ring->number > sectors ? ring->number - sectors : 1) * SLOTS;
}

void store_open(struct store *store) {
    store->dropped = 0;
    ring_open(&store->rings[0], AREA_ALARMS);
    ring_open(&store->rings[1], AREA_TELEMETRY);
}

/* Begins the next sector; what stands there unanswered is lost and counted. */
static uint32_t advance(struct ring *ring) {
    uint32_t dropped = 0;
    uint32_t next = sector_of(ring, ring->number + 1);
    struct event event;
    if (sector_number(ring->area, next) > 0)
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            dropped += read_event(ring->area, next * SLOTS + slot, &event) && is_open(ring->area, next * SLOTS + slot);
    port_flash_erase(ring->area, next);
    ring->number++;
    ring->slot = 0;
    sector_seal(ring->area, next, ring->number);
    return dropped;
}

void store_add(struct store *store, const struct event *event) {
    struct ring *ring = &store->rings[event->telemetry ? 1 : 0];
    uint8_t body[BODY];
    if (ring->slot == SLOTS)
        store->dropped += advance(ring);
    encode(event, body);
    port_flash_write(ring->area, offset_of(index_of(ring, end_of(ring))), body, sizeof body);
    ring->slot++;
}

/* Finds the ring's next unanswered event into `next`. */
static void look_ahead(struct ring *ring) {
    while (!ring->has_next && ring->ahead < end_of(ring)) {
        uint32_t number = ring->ahead / SLOTS;
        if (number == 0 || sector_number(ring->area, sector_of(ring, number)) != number) {
            ring->ahead = (number + 1) * SLOTS; /* not begun, torn, or overtaken by the writer */
            continue;
        }
        uint32_t index = index_of(ring, ring->ahead);
        ring->has_next = read_event(ring->area, index, &ring->next) && is_open(ring->area, index);
        ring->next_at = (struct place){ring->area, index};
        ring->ahead++;
    }
}

static bool older(const struct event *one, const struct event *other) {
    return one->boot != other->boot ? one->boot < other->boot : one->seq < other->seq;
}

bool store_next(struct store *store, struct event *event, struct place *place) {
    struct ring *oldest = NULL;
    for (int i = 0; i < 2; i++) {
        struct ring *ring = &store->rings[i];
        look_ahead(ring);
        if (ring->has_next && (oldest == NULL || older(&ring->next, &oldest->next)))
            oldest = ring;
    }
    if (oldest == NULL)
        return false;
    *event = oldest->next;
    *place = oldest->next_at;
    oldest->has_next = false;
    return true;
}

void store_acknowledge(const struct event *event, const struct place *place) {
    static const uint8_t answered[FLASH_UNIT] = {0};
    struct event there;
    if (read_event(place->area, place->index, &there) && there.boot == event->boot && there.seq == event->seq &&
        is_open(place->area, place->index))
        port_flash_write(place->area, offset_of(place->index) + BODY, answered, sizeof answered);
}

void store_erase(struct store *store) {
    for (int i = 0; i < 2; i++)
        for (uint32_t sector = 0; sector < area_sectors(store->rings[i].area); sector++)
            if (sector_number(store->rings[i].area, sector) > 0)
                port_flash_erase(store->rings[i].area, sector);
    store_open(store);
}
