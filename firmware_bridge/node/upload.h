/* An image on its way into the spare slot, to be gone on with after any interruption. */
#ifndef NODE_UPLOAD_H
#define NODE_UPLOAD_H

#include <stdbool.h>

#include "port.h"
#include "settings.h"

struct upload {
    uint32_t length; /* of the whole image, 0: none is on its way or came */
    uint8_t sha[32];
    uint32_t offset; /* bytes that the node has */
    uint8_t rest[FLASH_UNIT]; /* the last of them, while they do not fill a unit */
};

/* Finds what an upload before the restart has left. */
void upload_open(struct upload *upload, const struct settings *settings);
/* Begins anew, or goes on if it is the same image. `length` is 1 to the slot's size. */
void upload_begin(struct upload *upload, struct settings *settings, uint32_t length, const uint8_t sha[32]);
/* Takes bytes at `offset`; what is there already or beyond the length is not taken. */
void upload_take(struct upload *upload, uint32_t offset, const uint8_t *data, size_t length);
/* Whether all came and its hash is what was announced. */
bool upload_matches(const struct upload *upload);
/* Empties the spare slot. */
void upload_erase(struct upload *upload, struct settings *settings);

#endif
