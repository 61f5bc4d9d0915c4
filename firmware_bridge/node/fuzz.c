/* Feeds a file to the node as bytes from outside: the first byte says where they come in, the rest is what comes.
   libFuzzer calls LLVMFuzzerTestOneInput; without it main reads the files it is given, under ASan and UBSan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

enum entry {
    FRAME_OF_STRANGER,
    FRAME_OF_OWNER,
    SERIAL_BYTES,
    IMAGE_IN_SLOT,
    SETTINGS_IN_FLASH,
    EVENTS_IN_FLASH,
    ENTRIES,
};

#define INPUT_MAX 16384U

static struct node node;
static uint64_t counter;
static const struct identity who = {
    .id = "fuzzfuzz", .code = "0123456789ABCDEF", .model = "menshen-ref", .field_period = 100};

/* ---- The smallest port: flash in memory, nobody at the other end. ---- */

static uint8_t flash[AREA_COUNT][TELEMETRY_SECTORS * FLASH_SECTOR];

static uint8_t *flash_at(enum port_area area, uint32_t offset, size_t length) {
    if (offset > area_sectors(area) * FLASH_SECTOR || length > area_sectors(area) * FLASH_SECTOR - offset)
        abort();
    return flash[area] + offset;
}

void port_flash_read(enum port_area area, uint32_t offset, void *data, size_t length) {
    memcpy(data, flash_at(area, offset, length), length);
}

void port_flash_write(enum port_area area, uint32_t offset, const void *data, size_t length) {
    uint8_t *at = flash_at(area, offset, length);
    for (size_t i = 0; i < length; i++) /* what the fuzzer put there may not be erased: as real flash, bits only fall */
        at[i] &= ((const uint8_t *)data)[i];
}

void port_flash_erase(enum port_area area, uint32_t sector) {
    memset(flash_at(area, sector * FLASH_SECTOR, FLASH_SECTOR), 0xFF, FLASH_SECTOR);
}

bool port_is_serial(void) { return true; }
size_t port_receive(uint8_t *data, size_t capacity) { return data == NULL ? capacity : 0; }
size_t port_room(void) { return 2 * SMP_FRAME_MAX; }
void port_send(const uint8_t *data, size_t length, bool answer) {
    static uint8_t last;
    last = length > 0 ? (uint8_t)(data[0] ^ data[length - 1] ^ answer) : last; /* all of it must be readable */
}
void port_print(const char *text) { port_send((const uint8_t *)text, strlen(text), false); }
bool port_door_open(void) { return counter % 2 == 1; }
void port_field(int32_t nanotesla[3]) { memset(nanotesla, 0, 3 * sizeof *nanotesla); }
int port_battery(void) { return -1; }
void port_relay(bool on) { (void)on; }
bool port_release_pressed(void) { return false; }
const uint8_t *host_signer(void) { return flash[AREA_SCRATCH]; }
void port_random(uint8_t *data, size_t length) { memset(data, 7, length); }
enum port_why port_why(void) { return WHY_POWER; }
void port_reset(enum port_why why) { (void)why; }
bool port_duplicates(void) { return false; }

/* ---- What comes from outside ---- */

static void put_in_flash(enum port_area area, const uint8_t *data, size_t size) {
    uint8_t padded[INPUT_MAX];
    size_t room = area_sectors(area) * FLASH_SECTOR;
    size = size < room ? size : room;
    size = size < sizeof padded ? size : sizeof padded;
    memset(padded, 0xFF, sizeof padded);
    memcpy(padded, data, size);
    port_flash_write(area, 0, padded, (size + FLASH_UNIT - 1) / FLASH_UNIT * FLASH_UNIT);
}

static void run(uint64_t from, unsigned polls) {
    for (unsigned i = 0; i < polls; i++)
        node_poll(&node, from + 100U * i);
}

/* Frames in a row, each after its length in two bytes; those of the owner get the right tail, so that they count. */
static void take_frames(const uint8_t *data, size_t size, bool owned) {
    node.owner.claimed = node.owner.settled = owned;
    while (size > 2) {
        uint8_t frame[SMP_FRAME_MAX + 64];
        size_t length = (size_t)(data[0] << 8 | data[1]);
        data += 2;
        size -= 2;
        length = length < size ? length : size;
        length = length < sizeof frame ? length : sizeof frame;
        memcpy(frame, data, length);
        struct smp_frame parsed;
        if (owned && smp_parse(frame, length, &parsed))
            length = auth_seal(node.owner.key, who.id, FROM_HUB, ++counter, frame, length, sizeof frame);
        node_receive(&node, frame, length, 1000);
        data += length < size ? length : size;
        size -= length < size ? length : size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct image image;
    const uint8_t *frame;
    size_t length;
    if (size < 1 || size > INPUT_MAX)
        return 0;
    memset(flash, 0xFF, sizeof flash);
    counter = 0;
    enum entry entry = (enum entry)(data[0] % ENTRIES);
    data++;
    size--;
    if (entry == SETTINGS_IN_FLASH)
        put_in_flash(AREA_SETTINGS, data, size);
    else if (entry == EVENTS_IN_FLASH)
        put_in_flash(AREA_ALARMS, data, size);
    boot_run(&node.boot, who.model);
    node_start(&node, &who, BOOT_AS_BEFORE, 0);
    if (entry == FRAME_OF_STRANGER || entry == FRAME_OF_OWNER)
        take_frames(data, size, entry == FRAME_OF_OWNER);
    for (size_t i = 0; entry == SERIAL_BYTES && i < size; i++)
        if (console_take(&node.console, data[i], &frame, &length))
            node_receive(&node, frame, length, 1000);
    if (entry == IMAGE_IN_SLOT) {
        put_in_flash(AREA_SPARE, data, size);
        if (image_read(AREA_SPARE, &image))
            image_judge(AREA_SPARE, &image, who.model, &node.running);
    }
    run(2000, 8);
    return 0;
}

#ifndef LIBFUZZER
int main(int count, char **paths) {
    static uint8_t data[INPUT_MAX + 1];
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(paths[i], "rb");
        if (file == NULL)
            return 1;
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        LLVMFuzzerTestOneInput(data, size);
    }
    printf("%d inputs, clean\n", count - 1);
    return 0;
}
#endif
