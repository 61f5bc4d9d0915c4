/* Every size is checked against the slot before it is added to another. */
#include "image.h"

#include <stdio.h>
#include <string.h>

#include "bytes.h"

#define MAGIC 0x96F3B83DU
#define HEADER 32
#define TLV_INFO 4
#define TLV_MAGIC 0x6907
#define TLV_MAGIC_PROTECTED 0x6908

enum tlv { TLV_KEY_HASH = 0x01, TLV_SHA256 = 0x10, TLV_ED25519 = 0x24, TLV_COUNTER = 0x50, TLV_MODEL = 0xA0 };

/* Where the TLVs are being read. */
struct walk {
    enum port_area slot;
    uint32_t at;
    uint32_t end;
};

static bool read_header(enum port_area slot, struct image *image) {
    uint8_t header[HEADER];
    port_flash_read(slot, 0, header, sizeof header);
    *image = (struct image){
        .header_size = le16(header + 8),
        .protected_size = le16(header + 10),
        .body_size = le32(header + 12),
    };
    unsigned build = le32(header + 24);
    image->order = (uint64_t)header[20] << 56 | (uint64_t)header[21] << 48 | (uint64_t)le16(header + 22) << 32 | build;
    int end = snprintf(image->version, sizeof image->version, "%u.%u.%u", header[20], header[21], le16(header + 22));
    if (build != 0) /* as MCUmgr writes it */
        snprintf(image->version + end, sizeof image->version - (size_t)end, ".%u", build);
    return le32(header) == MAGIC && image->header_size >= HEADER && image->body_size <= SLOT_SIZE - image->header_size;
}

/* A block of TLVs begins with its magic and its length, itself included. */
static bool open_block(struct walk *walk, uint16_t magic) {
    uint8_t info[TLV_INFO];
    if (walk->at > SLOT_SIZE - TLV_INFO)
        return false;
    port_flash_read(walk->slot, walk->at, info, sizeof info);
    uint16_t length = le16(info + 2);
    if (le16(info) != magic || length < TLV_INFO || length > SLOT_SIZE - walk->at)
        return false;
    walk->end = walk->at + length;
    walk->at += TLV_INFO;
    return true;
}

/* The next TLV's type and length; `at` then points to its value. False at the end; `*whole` false if it runs beyond. */
static bool next_tlv(struct walk *walk, uint16_t *type, uint16_t *length, bool *whole) {
    uint8_t head[4];
    *whole = walk->end - walk->at == 0;
    if (walk->end - walk->at < sizeof head)
        return false;
    port_flash_read(walk->slot, walk->at, head, sizeof head);
    *type = le16(head);
    *length = le16(head + 2);
    walk->at += (uint32_t)sizeof head;
    *whole = *length <= walk->end - walk->at;
    return *whole;
}

static bool take(const struct walk *walk, uint16_t length, void *value, size_t wanted, bool *had) {
    bool first = !*had;
    *had = true;
    if (length == wanted)
        port_flash_read(walk->slot, walk->at, value, wanted);
    return first && length == wanted; /* twice the same would leave open which one counts */
}

static bool take_model(const struct walk *walk, uint16_t length, struct image *image) {
    if (image->model[0] != '\0' || length == 0 || length > MODEL_MAX)
        return false;
    port_flash_read(walk->slot, walk->at, image->model, length);
    for (uint16_t i = 0; i < length; i++)
        if (image->model[i] < 0x20 || image->model[i] > 0x7E)
            return false;
    return true;
}

static bool read_protected(struct walk *walk, struct image *image) {
    uint16_t type;
    uint16_t length;
    bool whole;
    uint8_t counter[4];
    if (!open_block(walk, TLV_MAGIC_PROTECTED) || walk->end - walk->at + TLV_INFO != image->protected_size)
        return false;
    for (; next_tlv(walk, &type, &length, &whole); walk->at += length) {
        if (type == TLV_COUNTER) {
            if (!take(walk, length, counter, sizeof counter, &image->has_counter))
                return false;
            image->security_counter = le32(counter);
        } else if (type == TLV_MODEL && !take_model(walk, length, image)) {
            return false;
        }
    }
    return whole;
}

static bool read_plain(struct walk *walk, struct image *image) {
    uint16_t type;
    uint16_t length;
    bool whole;
    bool has_hash = false;
    if (!open_block(walk, TLV_MAGIC))
        return false;
    for (; next_tlv(walk, &type, &length, &whole); walk->at += length) {
        bool fine = true;
        if (type == TLV_SHA256)
            fine = take(walk, length, image->hash, sizeof image->hash, &has_hash);
        else if (type == TLV_KEY_HASH)
            fine = take(walk, length, image->key, sizeof image->key, &image->has_key);
        else if (type == TLV_ED25519)
            fine = take(walk, length, image->signature, sizeof image->signature, &image->has_signature);
        if (!fine)
            return false;
    }
    return whole && has_hash;
}

bool image_read(enum port_area slot, struct image *image) {
    if (!read_header(slot, image))
        return false;
    struct walk walk = {.slot = slot, .at = image->header_size + image->body_size};
    if (image->protected_size > 0 && !read_protected(&walk, image))
        return false;
    if (!read_plain(&walk, image))
        return false;
    image->total_size = walk.end;
    return true;
}

bool image_is_whole(enum port_area slot, const struct image *image) {
    uint8_t digest[32];
    uint8_t chunk[256];
    struct port_sha256 hash;
    uint32_t hashed = image->header_size + image->body_size + image->protected_size;
    port_sha256_begin(&hash);
    for (uint32_t at = 0; at < hashed; at += (uint32_t)sizeof chunk) {
        size_t count = hashed - at < sizeof chunk ? hashed - at : sizeof chunk;
        port_flash_read(slot, at, chunk, count);
        port_sha256_add(&hash, chunk, count);
    }
    port_sha256_end(&hash, digest);
    return memcmp(digest, image->hash, sizeof digest) == 0;
}

/* An older one: by its security counter, and by its version where the counters are the same. */
static bool is_older(const struct image *image, const struct image *running) {
    if (image->security_counter != running->security_counter)
        return image->security_counter < running->security_counter;
    return image->order < running->order;
}

enum smp_rc image_judge(enum port_area slot, const struct image *image, const char *model, const struct image *running) {
    uint8_t signer[32];
    port_signer_digest(signer);
    if (!image->has_signature || !image->has_key || !image->has_counter ||
        memcmp(image->key, signer, sizeof signer) != 0 || !image_is_whole(slot, image) ||
        !port_ed25519_verify(image->signature, image->hash, sizeof image->hash))
        return RC_CORRUPT;
    if (strcmp(image->model, model) != 0 || is_older(image, running))
        return RC_REFUSED;
    return RC_OK;
}
