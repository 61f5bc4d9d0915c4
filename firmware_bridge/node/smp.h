/* The SMP frame: eight bytes of header and one CBOR map (PROTOCOL.md section 1). */
#ifndef NODE_SMP_H
#define NODE_SMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cbor.h"

#define SMP_HEADER 8
#define SMP_BODY_MAX 4096
#define SMP_FRAME_MAX (SMP_HEADER + SMP_BODY_MAX)

enum smp_op { SMP_READ = 0, SMP_READ_ANSWER = 1, SMP_WRITE = 2, SMP_WRITE_ANSWER = 3 };

enum smp_group { GROUP_OS = 0, GROUP_IMAGE = 1, GROUP_NODE = 80 };

/* Return codes (PROTOCOL.md section 3, those of MCUmgr). */
enum smp_rc {
    RC_OK = 0,
    RC_NO_MEMORY = 2,
    RC_INVALID = 3,
    RC_NO_ENTRY = 5,
    RC_BAD_STATE = 6,
    RC_REFUSED = 8,
    RC_CORRUPT = 10,
};

/* A frame taken apart; `body` is a checked map inside the buffer it came in. */
struct smp_frame {
    enum smp_op op;
    uint8_t version;
    uint16_t group;
    uint8_t sequence;
    uint8_t command;
    struct cbor_item body;
};

/* False for anything that is not exactly one frame within the limits. */
bool smp_parse(const uint8_t *data, size_t length, struct smp_frame *frame);

/* Writes the header before a body of `body_length` bytes that already stands at data + 8. */
void smp_put_header(uint8_t *data, const struct smp_frame *frame, size_t body_length);

#endif
