/* What the node senses and switches: a door contact, a magnetometer over a parking bay, a relay, its battery. */
#ifndef NODE_POINTS_H
#define NODE_POINTS_H

#include <stdbool.h>

#include "cbor.h"
#include "settings.h"

enum point_index { POINT_DOOR, POINT_BAY, POINT_X, POINT_Y, POINT_Z, POINT_RELAY, POINT_BATTERY, POINT_COUNT };

/* What came of a point and is to become an event. */
struct reading {
    enum point_index point;
    int32_t value; /* thousandths; of a switch 0 or 1 */
};

#define READINGS_MAX 16

struct points {
    struct reading readings[READINGS_MAX]; /* taken out by points_take */
    unsigned count;
    bool door_known; /* whether the contact has kept still once since the start */
    bool door_open;
    bool door_raw;
    uint64_t door_since; /* when the contact was first seen as it is now */
    int32_t base[3];     /* nT, the field of the empty bay */
    int32_t base_rest[3];
    bool occupied;
    uint64_t deviating_since; /* since when the field has spoken against `occupied`, 0: it does not */
    uint64_t sampled;         /* ms of the next sample */
    uint64_t due;             /* ms of the next field telemetry */
    uint32_t period;          /* ms between two of them */
    unsigned axis;            /* whose turn it is */
    bool relay_on;
    uint64_t relay_first; /* when it was switched on after having been off */
    uint64_t relay_end;
    int battery;
    bool unwell; /* the magnetometer's values are not plausible */
};

/* `field_period`: ms between two field values, axes in turn. `memory` holds the empty bay's field over a restart. */
void points_start(struct points *points, const struct settings *memory, uint32_t field_period, uint64_t now);
/* Samples what is due; returns in how many ms it wants to be called again (at most 100). */
uint32_t points_poll(struct points *points, struct settings *memory, uint64_t now);
/* Reports everything as it is now: after a start and after a claim. The door follows when its contact keeps still. */
void points_report(struct points *points);
bool points_take(struct points *points, struct reading *reading);
/* Switches the relay on for `seconds` (1 to 60) or off. Never beyond 60 s after it was first switched on. */
void points_switch(struct points *points, bool on, uint32_t seconds, uint64_t now);

bool point_is_switch(enum point_index point);
bool point_is_telemetry(enum point_index point);
/* The array `pts` of a describe answer. */
void points_describe(struct cbor_writer *out);

#endif
