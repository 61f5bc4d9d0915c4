/* Group 0: echo, date and time, reset, buffer sizes, boot loader (Zephyr, "OS Management Group"). */
#include <string.h>

#include "clock.h"
#include "commands.h"

enum { ECHO = 0, DATETIME = 4, RESET = 5, PARAMETERS = 6, BOOTLOADER = 8 };

#define RESET_DELAY 250U /* ms: the answer goes out first, as in Zephyr */
#define SWAP_USING_SCRATCH 1U

static enum smp_rc echo(const struct smp_frame *request, struct cbor_writer *out) {
    struct cbor_item item;
    const char *text;
    size_t length;
    if (!cbor_find(request->body, "d", &item) || !cbor_text(item, &text, &length))
        return RC_INVALID;
    cbor_put_map(out, 1);
    cbor_put_text(out, "r");
    cbor_put_text_of(out, text, length);
    return RC_OK;
}

static enum smp_rc set_time(struct node *node, const struct smp_frame *request, struct cbor_writer *out, uint64_t now) {
    struct cbor_item item;
    const char *text;
    size_t length;
    uint64_t wall;
    if (!cbor_find(request->body, "datetime", &item) || !cbor_text(item, &text, &length) ||
        !clock_parse(text, length, &wall) || wall <= now)
        return RC_INVALID;
    node->wall_offset = wall - now;
    cbor_put_map(out, 0);
    return RC_OK;
}

static enum smp_rc tell_time(const struct node *node, struct cbor_writer *out, uint64_t now) {
    char text[CLOCK_TEXT];
    if (node->wall_offset == 0)
        return RC_NO_ENTRY;
    clock_format(node_wall(node, now), text);
    cbor_put_map(out, 1);
    cbor_put_text(out, "datetime");
    cbor_put_text(out, text);
    return RC_OK;
}

static enum smp_rc bootloader(const struct smp_frame *request, struct cbor_writer *out) {
    struct cbor_item item;
    const char *text;
    size_t length;
    cbor_put_map(out, 1);
    if (!cbor_find(request->body, "query", &item)) {
        cbor_put_text(out, "bootloader");
        cbor_put_text(out, "MCUboot");
        return RC_OK;
    }
    if (!cbor_text(item, &text, &length) || length != 4 || memcmp(text, "mode", length) != 0)
        return RC_NO_ENTRY;
    cbor_put_text(out, "mode");
    cbor_put_uint(out, SWAP_USING_SCRATCH);
    return RC_OK;
}

enum smp_rc os_command(struct node *node, const struct smp_frame *request, struct cbor_writer *out, uint64_t now) {
    bool write = request->op == SMP_WRITE;
    switch (request->command) {
    case ECHO: /* Zephyr answers both operations */
        return echo(request, out);
    case DATETIME:
        return write ? set_time(node, request, out, now) : tell_time(node, out, now);
    case RESET:
        if (!write)
            return RC_REFUSED;
        node->reset_at = now + RESET_DELAY;
        cbor_put_map(out, 0);
        return RC_OK;
    case PARAMETERS:
        if (write)
            return RC_REFUSED;
        cbor_put_map(out, 2);
        cbor_put_text(out, "buf_size");
        cbor_put_uint(out, SMP_FRAME_MAX);
        cbor_put_text(out, "buf_count");
        cbor_put_uint(out, 1);
        return RC_OK;
    case BOOTLOADER:
        return write ? RC_REFUSED : bootloader(request, out);
    default:
        return RC_REFUSED;
    }
}
