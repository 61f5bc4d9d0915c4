/* Who may speak: keys, the HMAC and counter at a frame's end, and the window against replay (PROTOCOL.md section 2). */
#ifndef NODE_AUTH_H
#define NODE_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_LENGTH 8
#define KEY_LENGTH 16
#define CODE_LENGTH 16
#define NONCE_LENGTH 16
#define TAIL_LENGTH 26 /* "ctr" and "mac" with their values */

enum direction { FROM_NODE = 'N', FROM_HUB = 'H' };

/* Highest counter seen and, as bits, which of the 64 below it (bit 0 is the highest itself). */
struct window {
    uint64_t highest;
    uint64_t seen;
};

/* After a restart: nothing up to `highest` is taken again. */
struct window window_after(uint64_t highest);
/* False if `counter` was there before or is too old; else remembers it. */
bool window_take(struct window *window, uint64_t counter);

/* K0, from the code on the label. */
void claim_key(const char code[CODE_LENGTH], const uint8_t id[ID_LENGTH], uint8_t key[KEY_LENGTH]);
/* K, from the code and what both ends drew. */
void owner_key(const char code[CODE_LENGTH], const uint8_t id[ID_LENGTH], const uint8_t hub[ID_LENGTH],
               const uint8_t hub_nonce[NONCE_LENGTH], const uint8_t node_nonce[NONCE_LENGTH], uint8_t key[KEY_LENGTH]);

/* Appends the tail to a finished frame whose map has at most 21 entries; returns its length, 0 if it does not fit. */
size_t auth_seal(const uint8_t key[KEY_LENGTH], const uint8_t id[ID_LENGTH], enum direction direction, uint64_t counter,
                 uint8_t *frame, size_t length, size_t capacity);
/* Whether the frame ends in a tail with the right mac; its counter. */
bool auth_open(const uint8_t key[KEY_LENGTH], const uint8_t id[ID_LENGTH], enum direction direction,
               const uint8_t *frame, size_t length, uint64_t *counter);
/* Whether the frame ends in a tail at all. */
bool auth_has_tail(const uint8_t *frame, size_t length);

#endif
