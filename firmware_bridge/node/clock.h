/* Wall time on top of the uptime, and its form on the wire of SMP: "2026-11-21T09:30:00.123Z". */
#ifndef NODE_CLOCK_H
#define NODE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT 25 /* characters with the zero */

/* Epoch ms of a UTC time; seconds may have 1 to 9 decimals, the Z may be missing. False if it is no time of 1970 to
   2105. */
bool clock_parse(const char *text, size_t length, uint64_t *epoch_ms);
void clock_format(uint64_t epoch_ms, char text[CLOCK_TEXT]);

#endif
