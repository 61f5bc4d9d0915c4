/* Each sector moves in three steps: spare to scratch, running to spare, scratch to running. A step's source is never
   its target, and a step is written down when it is done: after a power cut the first one that is not is done again. */
#include "boot.h"

#include "bytes.h"

#define RECORD 4 /* state, sectors, step */

static void write_down(struct boot *boot, enum boot_state state, uint8_t sectors, uint16_t step) {
    uint8_t record[RECORD] = {(uint8_t)state, sectors};
    put_le16(record + 2, step);
    boot->state = state;
    boot->sectors = sectors;
    boot->step = step;
    settings_put(&boot->log, SETTING_SWAP, record, sizeof record);
}

void boot_open(struct boot *boot) {
    uint8_t record[RECORD];
    *boot = (struct boot){.state = BOOT_IDLE};
    settings_open(&boot->log, AREA_BOOT);
    if (!settings_get(&boot->log, SETTING_SWAP, record, sizeof record) || record[0] > BOOT_REVERTING ||
        record[1] > SLOT_SECTORS)
        return;
    boot->state = (enum boot_state)record[0];
    boot->sectors = record[1];
    boot->step = le16(record + 2);
}

static void copy_sector(enum port_area from, uint32_t from_sector, enum port_area to, uint32_t to_sector) {
    uint8_t chunk[256];
    port_flash_erase(to, to_sector);
    for (uint32_t at = 0; at < FLASH_SECTOR; at += (uint32_t)sizeof chunk) {
        port_flash_read(from, from_sector * FLASH_SECTOR + at, chunk, sizeof chunk);
        port_flash_write(to, to_sector * FLASH_SECTOR + at, chunk, sizeof chunk);
    }
}

static void exchange(struct boot *boot) {
    while (boot->step < 3U * boot->sectors) {
        uint32_t sector = boot->step / 3U;
        if (boot->step % 3U == 0)
            copy_sector(AREA_SPARE, sector, AREA_SCRATCH, 0);
        else if (boot->step % 3U == 1)
            copy_sector(AREA_RUNNING, sector, AREA_SPARE, sector);
        else
            copy_sector(AREA_SCRATCH, 0, AREA_RUNNING, sector);
        write_down(boot, boot->state, boot->sectors, (uint16_t)(boot->step + 1));
    }
}

/* Sectors that the larger of two images takes. */
static uint8_t sectors_of(const struct image *one, const struct image *other) {
    uint32_t size = one->total_size > other->total_size ? one->total_size : other->total_size;
    return (uint8_t)((size + FLASH_SECTOR - 1) / FLASH_SECTOR);
}

static enum boot_outcome begin_test(struct boot *boot, const char *model) {
    struct image running;
    struct image spare;
    if (!image_read(AREA_RUNNING, &running) || !image_read(AREA_SPARE, &spare) ||
        image_judge(AREA_SPARE, &spare, model, &running) != RC_OK) {
        boot_settle(boot);
        return BOOT_REFUSED;
    }
    write_down(boot, BOOT_SWAPPING, sectors_of(&running, &spare), 0);
    return BOOT_UPDATED;
}

static enum boot_outcome begin_revert(struct boot *boot) {
    struct image spare; /* it ran here before, so only its hash is asked for */
    if (!image_read(AREA_SPARE, &spare) || !image_is_whole(AREA_SPARE, &spare)) {
        boot_settle(boot); /* better the unconfirmed image than none */
        return BOOT_AS_BEFORE;
    }
    write_down(boot, BOOT_REVERTING, boot->sectors, 0);
    return BOOT_REVERTED;
}

enum boot_outcome boot_run(struct boot *boot, const char *model) {
    enum boot_outcome outcome = BOOT_AS_BEFORE;
    boot_open(boot);
    if (boot->state == BOOT_PENDING)
        outcome = begin_test(boot, model);
    else if (boot->state == BOOT_TESTING)
        outcome = begin_revert(boot);
    if (boot->state == BOOT_SWAPPING) {
        exchange(boot);
        write_down(boot, BOOT_TESTING, boot->sectors, 0);
        outcome = BOOT_UPDATED;
    } else if (boot->state == BOOT_REVERTING) {
        exchange(boot);
        boot_settle(boot);
        outcome = BOOT_REVERTED;
    }
    struct image running;
    return image_read(AREA_RUNNING, &running) && image_is_whole(AREA_RUNNING, &running) ? outcome : BOOT_NOTHING_RUNS;
}

void boot_plan(struct boot *boot) { write_down(boot, BOOT_PENDING, 0, 0); }

void boot_settle(struct boot *boot) { write_down(boot, BOOT_IDLE, 0, 0); }
