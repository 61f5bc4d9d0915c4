/* Events stand in flash before they are sent and until they were answered: two rings, alarms and telemetry. */
#ifndef NODE_STORE_H
#define NODE_STORE_H

#include <stdbool.h>

#include "port.h"

/* One event as it was born; named for ever by boot and seq. */
struct event {
    uint32_t boot;
    uint32_t seq;
    uint64_t up;   /* ms since that boot's start */
    uint64_t wall; /* epoch ms, 0: the clock was not set */
    int32_t value; /* thousandths; of a switch 0 or 1 */
    uint8_t point;
    bool is_switch;
    bool telemetry; /* may be dropped when the store is full */
};

/* Where an event stands. */
struct place {
    enum port_area area;
    uint32_t index;
};

struct ring {
    enum port_area area;
    uint32_t number; /* of the sector that is written now, 0: nothing was ever written */
    uint32_t slot;   /* next free slot of it */
    uint32_t ahead;  /* position (number and slot in one) from which store_next looks on */
    struct event next;
    struct place next_at;
    bool has_next;
};

struct store {
    struct ring rings[2];
    uint32_t dropped; /* since the start */
};

void store_open(struct store *store);
void store_add(struct store *store, const struct event *event);
/* Hands out each event that is not answered once, oldest first; false if there is none now. */
bool store_next(struct store *store, struct event *event, struct place *place);
/* The hub has it: it does not come again after a restart. */
void store_acknowledge(const struct event *event, const struct place *place);
/* Forgets all events: another owner has no business with them. */
void store_erase(struct store *store);

#endif
