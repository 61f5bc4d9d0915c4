/* Between the link and the commands: whether a frame is believed, and with which key its answer is sealed. */
#ifndef NODE_TRUST_H
#define NODE_TRUST_H

#include "node.h"

/* `frame` is `data` taken apart. Drops and counts what is not authentic; else acts on it and answers. */
void trust_take(struct node *node, const struct smp_frame *frame, const uint8_t *data, size_t length, uint64_t now);

#endif
