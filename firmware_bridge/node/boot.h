/* The boot loader's part: which image runs, and the exchange of the two slots (MCUboot's "swap using scratch"). */
#ifndef NODE_BOOT_H
#define NODE_BOOT_H

#include "image.h"
#include "settings.h"

enum boot_state {
    BOOT_IDLE = 0,      /* the running image is confirmed, nothing is planned */
    BOOT_PENDING = 1,   /* the spare image is to be tried at the next start */
    BOOT_SWAPPING = 2,  /* it is being moved in */
    BOOT_TESTING = 3,   /* it runs and is not confirmed: the next start moves it out */
    BOOT_REVERTING = 4, /* it is being moved out */
};

enum boot_outcome { BOOT_AS_BEFORE, BOOT_UPDATED, BOOT_REVERTED, BOOT_REFUSED, BOOT_NOTHING_RUNS };

struct boot {
    struct settings log;
    enum boot_state state;
    uint8_t sectors; /* of each slot that are exchanged */
    uint16_t step;   /* three to a sector; those before it are done */
};

/* Reads what was begun. */
void boot_open(struct boot *boot);
/* What stands before the application: finishes or begins an exchange, so that AREA_RUNNING may be started. */
enum boot_outcome boot_run(struct boot *boot, const char *model);
/* The spare image is to be tried at the next start; it was judged. */
void boot_plan(struct boot *boot);
/* Back to BOOT_IDLE: the running image is confirmed, or a plan is withdrawn. */
void boot_settle(struct boot *boot);

#endif
