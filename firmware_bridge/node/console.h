/* SMP over a serial console: base64 lines with a checksum, between whatever else is printed there. */
#ifndef NODE_CONSOLE_H
#define NODE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smp.h"

#define CONSOLE_LINE_MAX 127                       /* line feed included */
#define CONSOLE_PACKET_MAX (2 + SMP_FRAME_MAX + 2) /* length, frame, checksum */

/* A packet that is being put together. Zeroed, it is ready. */
struct console {
    char line[CONSOLE_LINE_MAX];
    size_t line_length;
    bool line_too_long;
    uint8_t packet[CONSOLE_PACKET_MAX];
    size_t packet_length;
    bool in_packet;
    uint32_t garbled; /* packets begun and not completed, or with a wrong checksum */
};

/* Takes one byte; true when it completes a frame, which stands in `*frame` until the next call. */
bool console_take(struct console *console, uint8_t byte, const uint8_t **frame, size_t *length);

/* Bytes that console_encode needs for a frame of `length` bytes. */
size_t console_encoded_length(size_t length);

/* Writes the lines of a frame; returns their length, 0 if they do not fit. */
size_t console_encode(const uint8_t *frame, size_t length, char *out, size_t capacity);

#endif
