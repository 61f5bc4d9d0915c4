/* Whole numbers only (nT, ms): the same on every processor. The figures are ours, tried on the bay of world.c. */
#include "points.h"

#include <stdlib.h>

#include "bytes.h"

#define DOOR_QUIET 50U         /* ms that a contact must stay before it counts: reeds bounce up to 20 ms */
#define SAMPLE 100U            /* ms between two samples of the magnetometer */
#define PARKED 8000            /* nT of deviation on which a bay counts as occupied (a car: 10 to 60 uT) */
#define LEFT 4000              /* nT below which it counts as empty again */
#define PARKING_TIME 3000U     /* ms: a car that only passes is gone by then */
#define LEAVING_TIME 2000U     /* ms */
#define ADAPTION 1024          /* samples (about 100 s) in which the empty field follows drift */
#define PLAUSIBLE 200000       /* nT on an axis; the earth's field is 25,000 to 65,000 */
#define RELAY_MAX 60U          /* s */
#define MEMORY_LENGTH (3 * 4 + 1)

struct point {
    const char *name;
    const char *class;
    const char *unit;
    int32_t low;
    int32_t high;
    bool is_switch;
    bool telemetry;
};

static const struct point POINTS[POINT_COUNT] = {
    [POINT_DOOR] = {"door", "contact", "", 0, 1, true, false},
    [POINT_BAY] = {"bay", "presence", "", 0, 1, true, false},
    [POINT_X] = {"field x", "field", "uT", -200, 200, false, true},
    [POINT_Y] = {"field y", "field", "uT", -200, 200, false, true},
    [POINT_Z] = {"field z", "field", "uT", -200, 200, false, true},
    [POINT_RELAY] = {"relay", "relay", "", 0, 1, true, false},
    [POINT_BATTERY] = {"battery", "battery", "%", 0, 100, false, true},
};

bool point_is_switch(enum point_index point) { return POINTS[point].is_switch; }

bool point_is_telemetry(enum point_index point) { return POINTS[point].telemetry; }

void points_describe(struct cbor_writer *out) {
    cbor_put_array(out, POINT_COUNT);
    for (unsigned i = 0; i < POINT_COUNT; i++) {
        cbor_put_map(out, 6);
        cbor_put_text(out, "i");
        cbor_put_uint(out, i);
        cbor_put_text(out, "n");
        cbor_put_text(out, POINTS[i].name);
        cbor_put_text(out, "c");
        cbor_put_text(out, POINTS[i].class);
        cbor_put_text(out, "u");
        cbor_put_text(out, POINTS[i].unit);
        cbor_put_text(out, "lo");
        cbor_put_int(out, POINTS[i].low);
        cbor_put_text(out, "hi");
        cbor_put_int(out, POINTS[i].high);
    }
}

static void tell(struct points *points, enum point_index point, int32_t value) {
    if (points->count < READINGS_MAX)
        points->readings[points->count++] = (struct reading){point, value};
}

bool points_take(struct points *points, struct reading *reading) {
    if (points->count == 0)
        return false;
    *reading = points->readings[0];
    points->count--;
    for (unsigned i = 0; i < points->count; i++)
        points->readings[i] = points->readings[i + 1];
    return true;
}

static void remember(const struct points *points, struct settings *memory) {
    uint8_t bytes[MEMORY_LENGTH];
    for (int axis = 0; axis < 3; axis++)
        put_le32(bytes + 4 * axis, (uint32_t)points->base[axis]);
    bytes[12] = points->occupied;
    settings_put(memory, SETTING_FIELD, bytes, sizeof bytes);
}

void points_start(struct points *points, const struct settings *memory, uint32_t field_period, uint64_t now) {
    uint8_t bytes[MEMORY_LENGTH];
    *points = (struct points){.period = field_period, .sampled = now, .due = now + field_period, .door_since = now};
    points->door_open = points->door_raw = port_door_open();
    points->battery = port_battery();
    if (settings_get(memory, SETTING_FIELD, bytes, sizeof bytes)) { /* a car may stand there since before the restart */
        for (int axis = 0; axis < 3; axis++)
            points->base[axis] = (int32_t)le32(bytes + 4 * axis);
        points->occupied = bytes[12] != 0;
    } else {
        port_field(points->base);
    }
    port_relay(false);
}

void points_report(struct points *points) {
    if (points->door_known)
        tell(points, POINT_DOOR, points->door_open);
    tell(points, POINT_BAY, points->occupied);
    tell(points, POINT_RELAY, points->relay_on);
    if (points->battery >= 0)
        tell(points, POINT_BATTERY, points->battery * 1000);
}

static void poll_door(struct points *points, uint64_t now) {
    bool raw = port_door_open();
    if (raw != points->door_raw) {
        points->door_raw = raw;
        points->door_since = now;
    }
    if ((raw != points->door_open || !points->door_known) && now - points->door_since >= DOOR_QUIET) {
        points->door_known = true;
        points->door_open = raw;
        tell(points, POINT_DOOR, raw);
    }
}

/* Follows what drifts slowly, as long as no car disturbs the field. */
static void follow(struct points *points, const int32_t field[3]) {
    for (int axis = 0; axis < 3; axis++) {
        points->base_rest[axis] += field[axis] - points->base[axis];
        points->base[axis] += points->base_rest[axis] / ADAPTION;
        points->base_rest[axis] %= ADAPTION;
    }
}

static void sample_field(struct points *points, struct settings *memory, uint64_t now) {
    int32_t field[3];
    int32_t deviation = 0;
    port_field(field);
    points->unwell = false;
    for (int axis = 0; axis < 3; axis++) {
        int32_t off = abs(field[axis] - points->base[axis]);
        deviation = off > deviation ? off : deviation;
        points->unwell |= abs(field[axis]) > PLAUSIBLE;
    }
    bool against = points->occupied ? deviation < LEFT : deviation > PARKED;
    if (!against) {
        points->deviating_since = 0;
        if (!points->occupied && deviation < LEFT)
            follow(points, field);
    } else if (points->deviating_since == 0) {
        points->deviating_since = now;
    } else if (now - points->deviating_since >= (points->occupied ? LEAVING_TIME : PARKING_TIME)) {
        points->occupied = !points->occupied;
        points->deviating_since = 0;
        tell(points, POINT_BAY, points->occupied);
        for (int axis = 0; axis < 3; axis++)
            tell(points, (enum point_index)(POINT_X + axis), field[axis]);
        remember(points, memory);
    }
}

/* One axis at a time, so that a short period is a steady stream and not bursts of three. */
static void tell_field(struct points *points, uint64_t now) {
    int32_t field[3];
    if (now - points->due > 8ULL * points->period) /* the clock stood still or the node was busy: no flood afterwards */
        points->due = now;
    port_field(field);
    while (points->due <= now && points->count < READINGS_MAX - 4) {
        tell(points, (enum point_index)(POINT_X + (int)points->axis), field[points->axis]);
        points->axis = (points->axis + 1) % 3;
        points->due += points->period;
    }
}

static void poll_battery(struct points *points) {
    int battery = port_battery();
    if (battery != points->battery && battery >= 0)
        tell(points, POINT_BATTERY, battery * 1000);
    points->battery = battery;
}

static uint32_t sooner(uint32_t wait, uint64_t at, uint64_t now) {
    uint64_t left = at > now ? at - now : 1;
    return left < wait ? (uint32_t)left : wait;
}

uint32_t points_poll(struct points *points, struct settings *memory, uint64_t now) {
    uint32_t wait = SAMPLE;
    poll_door(points, now);
    if (points->sampled <= now) {
        points->sampled = now + SAMPLE;
        sample_field(points, memory, now);
        poll_battery(points);
    }
    if (points->due <= now)
        tell_field(points, now);
    if (points->relay_on && now >= points->relay_end)
        points_switch(points, false, 0, now);
    if (points->door_raw != points->door_open || !points->door_known)
        wait = sooner(wait, points->door_since + DOOR_QUIET, now);
    if (points->relay_on)
        wait = sooner(wait, points->relay_end, now);
    return sooner(sooner(wait, points->due, now), points->sampled, now);
}

void points_switch(struct points *points, bool on, uint32_t seconds, uint64_t now) {
    if (on && !points->relay_on)
        points->relay_first = now;
    if (on) {
        uint64_t end = now + 1000ULL * seconds;
        uint64_t cap = points->relay_first + 1000ULL * RELAY_MAX;
        points->relay_end = end < cap ? end : cap;
    }
    if (on == points->relay_on)
        return;
    points->relay_on = on;
    port_relay(on);
    tell(points, POINT_RELAY, on);
}
