/* The groups of requests that a node answers. Each writes the answer's map, or returns a code and that is dropped. */
#ifndef NODE_COMMANDS_H
#define NODE_COMMANDS_H

#include "node.h"

enum smp_rc os_command(struct node *node, const struct smp_frame *request, struct cbor_writer *out, uint64_t now);
enum smp_rc image_command(struct node *node, const struct smp_frame *request, struct cbor_writer *out);
enum smp_rc node_command(struct node *node, const struct smp_frame *request, struct cbor_writer *out, uint64_t now);
/* Group 80 command 4; `released` says that the request stood under the owner's key and the owner is to be forgotten. */
enum smp_rc claim_command(struct node *node, const struct smp_frame *request, struct cbor_writer *out, bool by_owner,
                          bool *released);

#endif
