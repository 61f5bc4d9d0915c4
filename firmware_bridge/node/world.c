/* A door that bounces, and the earth's field with noise, drift and cars; figures as at a street in central Europe. */
#include <stdlib.h>
#include <string.h>

#include "host.h"

#define BOUNCE 15U      /* ms */
#define CAR_MOVES 1500U /* ms to drive onto the bay or off it */
#define CAR_PASSES 2000U
#define DRIFT_PERIOD 3600000U /* ms: the sun warms the sensor and leaves it */

static const int32_t EARTH[3] = {19000, -1500, 44000};
static const int32_t CAR[3] = {-12000, 8000, 26000};
static uint64_t random_state = 0x9E3779B97F4A7C15U;

void random_seed(uint64_t seed) { random_state = seed * 0x9E3779B97F4A7C15U + 0x2545F4914F6CDD1DU; }

uint64_t random_next(void) { /* xorshift64*, Vigna 2014 */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545F4914F6CDD1DU;
}

bool random_chance(double share) { return share > 0 && (double)(random_next() >> 11) * 0x1p-53 < share; }

bool world_door(const struct world *world, uint64_t now) {
    uint64_t since = now - world->door_moved;
    bool bounces = world->door_moved != 0 && since < BOUNCE && since / 2 % 2 == 1;
    return bounces ? !world->door_open : world->door_open;
}

/* How much of the car is over the sensor, in thousandths. */
static int32_t share_of_car(const struct world *world, uint64_t now) {
    int32_t since = now - world->car_moved > CAR_PASSES ? (int32_t)CAR_PASSES : (int32_t)(now - world->car_moved);
    int32_t moved = since >= (int32_t)CAR_MOVES ? 1000 : since * 1000 / (int32_t)CAR_MOVES;
    switch ((enum car)world->car) {
    case CAR_ARRIVING:
        return moved;
    case CAR_PARKED:
        return 1000;
    case CAR_LEAVING:
        return 1000 - moved;
    case CAR_PASSING:
        return 1000 - abs(since * 2 - (int32_t)CAR_PASSES) * 1000 / (int32_t)CAR_PASSES;
    case CAR_NONE:
        break;
    }
    return 0;
}

void world_field(const struct world *world, uint64_t now, int32_t nanotesla[3]) {
    int32_t phase = (int32_t)(now % DRIFT_PERIOD); /* up for half the period, down for the other */
    int32_t drift = (abs(phase * 2 - (int32_t)DRIFT_PERIOD) - (int32_t)DRIFT_PERIOD / 2) / 1200;
    int32_t car = share_of_car(world, now);
    for (int axis = 0; axis < 3; axis++) {
        int32_t noise = (int32_t)(random_next() % 401) - 200;
        nanotesla[axis] = EARTH[axis] + drift + noise + CAR[axis] * car / 1000;
    }
}

void world_settle(struct world *world) {
    world->door_moved = world->car_moved = 0;
    if (world->car == CAR_ARRIVING)
        world->car = CAR_PARKED;
    else if (world->car != CAR_PARKED)
        world->car = CAR_NONE;
}

static void move_car(struct world *world, enum car car, uint64_t now) {
    world->car = (uint8_t)car;
    world->car_moved = now;
}

bool world_command(struct world *world, const char *line, uint64_t now) {
    if (strcmp(line, "door open") == 0 || strcmp(line, "door close") == 0) {
        world->door_open = line[5] == 'o';
        world->door_moved = now;
    } else if (strcmp(line, "car park") == 0) {
        move_car(world, CAR_ARRIVING, now);
    } else if (strcmp(line, "car pass") == 0) {
        move_car(world, CAR_PASSING, now);
    } else if (strcmp(line, "car leave") == 0) {
        move_car(world, CAR_LEAVING, now);
    } else if (strncmp(line, "battery ", 8) == 0) {
        long percent = strtol(line + 8, NULL, 10);
        world->battery = (int8_t)(percent < -1 ? -1 : percent > 100 ? 100 : percent);
    } else {
        return false;
    }
    return true;
}
