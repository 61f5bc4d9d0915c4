/* MCUboot's image format (bootutil/image.h): what stands in a slot, and whether it may run here. */
#ifndef NODE_IMAGE_H
#define NODE_IMAGE_H

#include <stdbool.h>

#include "port.h"
#include "smp.h"

#define SLOT_SIZE (SLOT_SECTORS * FLASH_SECTOR)
#define MODEL_MAX 32   /* characters of a model's name */
#define VERSION_MAX 24 /* characters of a version as text, with its zero */

struct image {
    uint32_t header_size; /* bytes, as the following */
    uint32_t body_size;
    uint32_t protected_size; /* of the protected TLVs, 0 if there are none */
    uint32_t total_size;     /* header to last TLV */
    uint64_t order; /* the version as a number: a newer one is greater */
    char version[VERSION_MAX];
    char model[MODEL_MAX + 1]; /* empty: it does not say */
    uint32_t security_counter; /* 0 if it does not say */
    bool has_counter;
    bool has_key;
    bool has_signature;
    uint8_t hash[32]; /* as the image claims it */
    uint8_t key[32];
    uint8_t signature[64];
};

/* Reads header and TLVs; false if they are not well-formed, or the image has no hash or does not fit its slot. */
bool image_read(enum port_area slot, struct image *image);
/* Whether header, body and protected TLVs have the hash that the image claims. */
bool image_is_whole(enum port_area slot, const struct image *image);
/* Whether an uploaded image may run on this model after `running`; RC_CORRUPT or RC_REFUSED if not. */
enum smp_rc image_judge(enum port_area slot, const struct image *image, const char *model, const struct image *running);

#endif
