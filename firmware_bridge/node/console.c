/* Serial framing as Zephyr's "SMP Transport: UART/serial and console" has it; base64 is RFC 4648, section 4. */
#include "console.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

#define GROUPS_PER_LINE ((CONSOLE_LINE_MAX - 3) / 4) /* two bytes of mark and the line feed go off */
#define BYTES_PER_LINE (GROUPS_PER_LINE * 3)

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char character) {
    const char *found = character == '\0' ? NULL : strchr(ALPHABET, character);
    return found == NULL ? -1 : (int)(found - ALPHABET);
}

/* Appends what a line's base64 says; false if it is none or the packet grows too long. */
static bool append_base64(struct console *console, const char *text, size_t length) {
    if (length == 0 || length % 4 != 0)
        return false;
    for (size_t i = 0; i < length; i += 4) {
        bool last = i + 4 == length;
        size_t padding = !last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int digit = k >= 4 - padding ? 0 : digit_of(text[i + k]);
            if (digit < 0)
                return false;
            group = group << 6 | (uint32_t)digit;
        }
        size_t count = 3 - padding;
        if (count > CONSOLE_PACKET_MAX - console->packet_length)
            return false;
        for (size_t k = 0; k < count; k++)
            console->packet[console->packet_length++] = (uint8_t)(group >> (16 - 8 * k));
    }
    return true;
}

static void give_up(struct console *console) {
    if (console->in_packet)
        console->garbled++;
    console->in_packet = false;
    console->packet_length = 0;
}

/* Whether the packet is whole and its checksum right. */
static bool finish(struct console *console, const uint8_t **frame, size_t *length) {
    if (!console->in_packet || console->packet_length < 2)
        return false;
    size_t announced = be16(console->packet);
    size_t have = console->packet_length - 2;
    if (announced < 2 || announced > CONSOLE_PACKET_MAX - 2 || have > announced) {
        give_up(console);
        return false;
    }
    if (have < announced)
        return false;
    *frame = console->packet + 2;
    *length = announced - 2;
    bool right = crc16(*frame, *length) == be16(*frame + *length);
    if (right)
        console->in_packet = false; /* done: nothing to count as garbled */
    give_up(console);
    return right;
}

static bool take_line(struct console *console, const uint8_t **frame, size_t *length) {
    size_t size = console->line_length;
    if (size > 0 && console->line[size - 1] == '\r')
        size--;
    bool first = size > 2 && console->line[0] == 0x06 && console->line[1] == 0x09;
    bool further = size > 2 && console->line[0] == 0x04 && console->line[1] == 0x14;
    if (first) {
        give_up(console);
        console->in_packet = true;
    } else if (!further || !console->in_packet) {
        return false; /* the console's own text: ignored, also inside a packet */
    }
    if (!append_base64(console, console->line + 2, size - 2)) {
        give_up(console);
        return false;
    }
    return finish(console, frame, length);
}

bool console_take(struct console *console, uint8_t byte, const uint8_t **frame, size_t *length) {
    if (byte != '\n') {
        if (console->line_length < sizeof console->line)
            console->line[console->line_length++] = (char)byte;
        else
            console->line_too_long = true;
        return false;
    }
    bool complete = !console->line_too_long && take_line(console, frame, length);
    console->line_length = 0;
    console->line_too_long = false;
    return complete;
}

size_t console_encoded_length(size_t length) {
    size_t total = length + 4;
    size_t whole = total / BYTES_PER_LINE;
    size_t rest = total % BYTES_PER_LINE;
    return whole * (3 + GROUPS_PER_LINE * 4) + (rest == 0 ? 0 : 3 + (rest + 2) / 3 * 4);
}

/* Byte `i` of length, frame and checksum in a row. */
static uint8_t packet_byte(const uint8_t *frame, size_t length, uint16_t crc, size_t i) {
    if (i < 2)
        return (uint8_t)((length + 2) >> (i == 0 ? 8 : 0));
    if (i < length + 2)
        return frame[i - 2];
    return (uint8_t)(crc >> (i == length + 2 ? 8 : 0));
}

size_t console_encode(const uint8_t *frame, size_t length, char *out, size_t capacity) {
    if (length > SMP_FRAME_MAX || console_encoded_length(length) > capacity)
        return 0;
    uint16_t crc = crc16(frame, length);
    size_t total = length + 4;
    size_t at = 0;
    for (size_t begin = 0; begin < total; begin += BYTES_PER_LINE) {
        memcpy(out + at, begin == 0 ? "\x06\x09" : "\x04\x14", 2);
        at += 2;
        for (size_t i = begin; i < total && i < begin + BYTES_PER_LINE; i += 3) {
            size_t count = total - i < 3 ? total - i : 3;
            uint32_t group = 0;
            for (size_t k = 0; k < 3; k++)
                group = group << 8 | (k < count ? packet_byte(frame, length, crc, i + k) : 0U);
            for (size_t k = 0; k < 4; k++)
                out[at++] = k <= count ? ALPHABET[group >> (18 - 6 * k) & 0x3F] : '=';
        }
        out[at++] = '\n';
    }
    return at;
}
