/* The node's own requests: hello, and events until they are answered. */
#ifndef NODE_OUTBOX_H
#define NODE_OUTBOX_H

#include "store.h"

#define WINDOW_EVENTS 8

struct waiting {
    struct event event;
    struct place place;
    uint64_t due;
    uint32_t pause; /* ms until it is repeated after the next sending */
};

/* Events that were taken from the store and are not answered, oldest first. */
struct outbox {
    struct waiting waiting[WINDOW_EVENTS];
    unsigned count;
};

struct node;
struct smp_frame;

/* Sends what is due; returns in how many ms something will be. */
uint32_t outbox_poll(struct node *node, uint64_t now);
/* The hub has answered one of them. */
void outbox_answered(struct node *node, const struct smp_frame *answer);

#endif
