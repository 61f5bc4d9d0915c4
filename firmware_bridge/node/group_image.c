/* Group 1: what stands in the slots, upload, test and confirm (Zephyr, "Image Management Group"). */
#include <string.h>

#include "commands.h"

enum { STATE = 0, UPLOAD = 1, ERASE = 5 };

static void put_flag(struct cbor_writer *out, const char *name, bool value) {
    cbor_put_text(out, name);
    cbor_put_bool(out, value);
}

static void put_slot(struct cbor_writer *out, unsigned slot, const struct image *image, enum boot_state state) {
    bool runs = slot == 0;
    cbor_put_map(out, 8);
    cbor_put_text(out, "slot");
    cbor_put_uint(out, slot);
    cbor_put_text(out, "version");
    cbor_put_text(out, image->version);
    cbor_put_text(out, "hash");
    cbor_put_bytes(out, image->hash, sizeof image->hash);
    put_flag(out, "bootable", true);
    put_flag(out, "pending", !runs && state == BOOT_PENDING);
    put_flag(out, "confirmed", runs ? state != BOOT_TESTING : state == BOOT_TESTING);
    put_flag(out, "active", runs);
    put_flag(out, "permanent", false);
}

static enum smp_rc tell_state(const struct node *node, struct cbor_writer *out) {
    struct image spare;
    bool has_spare = image_read(AREA_SPARE, &spare);
    cbor_put_map(out, 2);
    cbor_put_text(out, "images");
    cbor_put_array(out, has_spare ? 2 : 1);
    put_slot(out, 0, &node->running, node->boot.state);
    if (has_spare)
        put_slot(out, 1, &spare, node->boot.state);
    cbor_put_text(out, "splitStatus");
    cbor_put_uint(out, 0);
    return RC_OK;
}

/* Judges the spare image and plans to try it at the next start. */
static enum smp_rc plan(struct node *node, const uint8_t *hash) {
    struct image spare;
    if (!image_read(AREA_SPARE, &spare))
        return RC_CORRUPT;
    if (memcmp(spare.hash, hash, sizeof spare.hash) != 0)
        return RC_NO_ENTRY;
    enum smp_rc rc = image_judge(AREA_SPARE, &spare, node->who.model, &node->running);
    if (rc != RC_OK)
        return rc;
    /* First the upload is forgotten: after the exchange its slot holds the image to go back to. */
    node->upload.length = 0;
    settings_put(&node->settings, SETTING_UPLOAD, NULL, 0);
    boot_plan(&node->boot);
    return RC_OK;
}

static enum smp_rc set_state(struct node *node, const struct smp_frame *request, struct cbor_writer *out) {
    struct cbor_item item;
    const uint8_t *hash = NULL;
    size_t length = 0;
    bool confirm = false;
    if (cbor_find(request->body, "confirm", &item) && !cbor_bool(item, &confirm))
        return RC_INVALID;
    /* No hash, or null as some clients send it: the running image is meant. */
    if (cbor_find(request->body, "hash", &item) && !(item.length == 1 && item.at[0] == 0xF6) &&
        (!cbor_bytes(item, &hash, &length) || length != 32))
        return RC_INVALID;
    bool of_running = hash == NULL || memcmp(hash, node->running.hash, length) == 0;
    if (of_running && !confirm)
        return RC_INVALID;
    if (of_running) {
        if (node->boot.state == BOOT_TESTING)
            boot_settle(&node->boot);
        return tell_state(node, out);
    }
    if (confirm) /* what has not run yet is not made permanent: then nothing would bring the node back */
        return RC_REFUSED;
    if (node->boot.state == BOOT_TESTING)
        return RC_BAD_STATE;
    enum smp_rc rc = plan(node, hash);
    return rc == RC_OK ? tell_state(node, out) : rc;
}

/* The first chunk says what comes. */
static enum smp_rc begin(struct node *node, const struct smp_frame *request) {
    struct cbor_item item;
    uint64_t number;
    uint8_t sha[32] = {0};
    const uint8_t *given;
    size_t length;
    if (cbor_find(request->body, "image", &item) && (!cbor_uint(item, &number) || number != 0))
        return RC_INVALID;
    if (!cbor_find(request->body, "len", &item) || !cbor_uint(item, &number) || number == 0 || number > SLOT_SIZE)
        return RC_INVALID;
    if (!cbor_find(request->body, "sha", &item) || !cbor_bytes(item, &given, &length) || length != sizeof sha)
        return RC_INVALID; /* without it nobody could tell whether an upload can be gone on with */
    memcpy(sha, given, length);
    upload_begin(&node->upload, &node->settings, (uint32_t)number, sha);
    return RC_OK;
}

static enum smp_rc upload(struct node *node, const struct smp_frame *request, struct cbor_writer *out) {
    struct cbor_item item;
    uint64_t offset;
    const uint8_t *data;
    size_t length;
    if (node->boot.state != BOOT_IDLE) /* the spare slot holds what is to be tried or to be gone back to */
        return RC_BAD_STATE;
    if (!cbor_find(request->body, "off", &item) || !cbor_uint(item, &offset) ||
        !cbor_find(request->body, "data", &item) || !cbor_bytes(item, &data, &length))
        return RC_INVALID;
    if (offset == 0) {
        enum smp_rc rc = begin(node, request);
        if (rc != RC_OK)
            return rc;
    }
    if (node->upload.length == 0)
        return RC_BAD_STATE;
    if (offset <= node->upload.length && length > node->upload.length - offset)
        return RC_INVALID;
    if (offset == node->upload.offset)
        upload_take(&node->upload, (uint32_t)offset, data, length);
    uint32_t next = node->upload.offset;
    bool complete = next == node->upload.length;
    cbor_put_map(out, complete ? 2 : 1);
    cbor_put_text(out, "off");
    cbor_put_uint(out, next);
    if (complete) {
        bool match = upload_matches(&node->upload);
        put_flag(out, "match", match);
        if (!match) { /* what is wrong is not gone on with */
            node->upload.length = 0;
            settings_put(&node->settings, SETTING_UPLOAD, NULL, 0);
        }
    }
    return RC_OK;
}

static enum smp_rc erase(struct node *node, struct cbor_writer *out) {
    if (node->boot.state == BOOT_TESTING)
        return RC_BAD_STATE;
    if (node->boot.state == BOOT_PENDING)
        boot_settle(&node->boot);
    upload_erase(&node->upload, &node->settings);
    cbor_put_map(out, 0);
    return RC_OK;
}

enum smp_rc image_command(struct node *node, const struct smp_frame *request, struct cbor_writer *out) {
    bool write = request->op == SMP_WRITE;
    if (request->command == STATE)
        return write ? set_state(node, request, out) : tell_state(node, out);
    if (request->command == UPLOAD && write)
        return upload(node, request, out);
    if (request->command == ERASE && write)
        return erase(node, out);
    return RC_REFUSED;
}
