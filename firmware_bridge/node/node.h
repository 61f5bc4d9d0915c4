/* The node itself: all of its state in one struct that the port places (20 kB), one call to start, one to go on. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "auth.h"
#include "boot.h"
#include "console.h"
#include "outbox.h"
#include "points.h"
#include "store.h"
#include "upload.h"

/* ms from a claim or release to the next hello: by then the hub has the answer, and knows which key counts. */
#define HELLO_AFTER_CLAIM 1000U

/* What is printed on the label and burnt into the board. */
struct identity {
    uint8_t id[ID_LENGTH];
    char code[CODE_LENGTH + 1];
    char model[MODEL_MAX + 1];
    uint32_t field_period; /* ms between two values of the field, axes in turn; at least 1 */
};

/* Who owns it. Until the first frame under the key has come (`settled`), the same claim gets the same answer again. */
struct owner {
    bool claimed;
    bool settled;
    uint8_t hub[ID_LENGTH];
    uint8_t key[KEY_LENGTH];
    uint8_t hub_nonce[NONCE_LENGTH];
    uint8_t node_nonce[NONCE_LENGTH];
};

/* What was thrown away, for a person at the console. */
struct dropped_frames {
    uint32_t malformed;
    uint32_t forged;
    uint32_t replayed;
};

struct node {
    struct identity who;
    struct image running;
    struct boot boot;
    enum boot_outcome outcome;
    struct settings settings;
    struct owner owner;
    struct window window; /* of the hub's counters */
    struct store store;
    struct outbox outbox;
    struct points points;
    struct upload upload;
    struct console console;
    struct dropped_frames dropped;
    uint32_t boot_id;
    uint32_t events;         /* of this boot */
    uint32_t frames;         /* sealed since the start or the claim */
    uint64_t wall_offset;    /* epoch ms minus uptime; 0: nobody has said what time it is */
    uint64_t asked_plainly;  /* when an unclaimed node was last asked something */
    uint64_t hello_at;       /* ms of the next hello */
    bool hello_answered;     /* the last one */
    uint8_t sequence;        /* of the node's own requests */
    uint64_t reset_at;       /* 0: no reset is wanted */
    uint8_t frame[SMP_FRAME_MAX];
    char lines[(SMP_FRAME_MAX + 4) / 3 * 4 + 256]; /* the frame as it goes out on a serial line */
    uint8_t datagram[SMP_FRAME_MAX + 1];
};

/* After boot_run, with AREA_RUNNING whole. `now` is the uptime in ms and begins near 0. */
void node_start(struct node *node, const struct identity *who, enum boot_outcome outcome, uint64_t now);
/* Does what is due; returns in how many ms it wants to be called again, sooner when something came in. */
uint32_t node_poll(struct node *node, uint64_t now);
/* A whole frame came in. */
void node_receive(struct node *node, const uint8_t *data, size_t length, uint64_t now);

/* The wall clock, 0 when it was never set. */
uint64_t node_wall(const struct node *node, uint64_t now);
/* Forgets the owner and what was seen for it. */
void node_release(struct node *node, uint64_t now);
void node_save_owner(struct node *node);

/* Where the map of a frame is built: in node->frame, behind the header. */
struct cbor_writer node_body(struct node *node);
/* Sends the frame whose map `out` has built; `key` seals it, NULL leaves it plain. False if it does not fit now. */
bool node_send(struct node *node, const struct smp_frame *frame, const struct cbor_writer *out, const uint8_t *key);

#endif
