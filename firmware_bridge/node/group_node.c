/* Group 80: describe, set, claim, health (PROTOCOL.md section 3). */
#include <string.h>

#include "commands.h"

enum { DESCRIBE = 0, SET = 3, HEALTH = 5 };

static enum smp_rc describe(const struct node *node, struct cbor_writer *out) {
    cbor_put_map(out, 5);
    cbor_put_text(out, "id");
    cbor_put_bytes(out, node->who.id, ID_LENGTH);
    cbor_put_text(out, "model");
    cbor_put_text(out, node->who.model);
    cbor_put_text(out, "ver");
    cbor_put_text(out, node->running.version);
    cbor_put_text(out, "claimed");
    cbor_put_bool(out, node->owner.claimed);
    cbor_put_text(out, "pts");
    points_describe(out);
    return RC_OK;
}

static enum smp_rc set(struct node *node, const struct smp_frame *request, struct cbor_writer *out, uint64_t now) {
    struct cbor_item item;
    uint64_t point;
    uint64_t seconds = 0;
    bool on;
    if (!node->owner.claimed) /* nobody has the right to it */
        return RC_REFUSED;
    if (!cbor_find(request->body, "pt", &item) || !cbor_uint(item, &point) || !cbor_find(request->body, "v", &item) ||
        !cbor_bool(item, &on))
        return RC_INVALID;
    if (point != POINT_RELAY)
        return point < POINT_COUNT ? RC_REFUSED : RC_NO_ENTRY;
    bool limited = cbor_find(request->body, "max", &item) && cbor_uint(item, &seconds) && seconds >= 1 && seconds <= 60;
    if (on && !limited)
        return RC_INVALID;
    points_switch(&node->points, on, (uint32_t)seconds, now);
    cbor_put_map(out, 2);
    cbor_put_text(out, "rc");
    cbor_put_uint(out, RC_OK);
    cbor_put_text(out, "v");
    cbor_put_bool(out, node->points.relay_on);
    return RC_OK;
}

static enum smp_rc health(const struct node *node, struct cbor_writer *out, uint64_t now) {
    bool well = !node->points.unwell;
    cbor_put_map(out, 7);
    cbor_put_text(out, "ok");
    cbor_put_bool(out, well);
    cbor_put_text(out, "bat");
    cbor_put_int(out, node->points.battery);
    cbor_put_text(out, "alarm"); /* something is switched on that a restart would end */
    cbor_put_bool(out, node->points.relay_on);
    cbor_put_text(out, "up");
    cbor_put_uint(out, now);
    cbor_put_text(out, "t");
    cbor_put_uint(out, node_wall(node, now));
    cbor_put_text(out, "dropped");
    cbor_put_uint(out, node->store.dropped);
    cbor_put_text(out, "fail");
    cbor_put_text(out, well ? "" : "magnetometer out of range");
    return RC_OK;
}

enum smp_rc node_command(struct node *node, const struct smp_frame *request, struct cbor_writer *out, uint64_t now) {
    bool write = request->op == SMP_WRITE;
    if (request->command == DESCRIBE && !write)
        return describe(node, out);
    if (request->command == SET && write)
        return set(node, request, out, now);
    if (request->command == HEALTH && !write)
        return health(node, out, now);
    return RC_REFUSED;
}

static bool find_bytes(struct cbor_item map, const char *key, size_t wanted, const uint8_t **data) {
    struct cbor_item item;
    size_t length;
    return cbor_find(map, key, &item) && cbor_bytes(item, data, &length) && length == wanted;
}

/* The same claim again, because its answer was lost, gets the same answer. */
static void take_claim(struct node *node, const uint8_t *hub, const uint8_t *nonce) {
    struct owner *owner = &node->owner;
    if (owner->claimed && memcmp(owner->hub, hub, ID_LENGTH) == 0 && memcmp(owner->hub_nonce, nonce, NONCE_LENGTH) == 0)
        return;
    *owner = (struct owner){.claimed = true};
    memcpy(owner->hub, hub, ID_LENGTH);
    memcpy(owner->hub_nonce, nonce, NONCE_LENGTH);
    port_random(owner->node_nonce, NONCE_LENGTH);
    owner_key(node->who.code, node->who.id, hub, nonce, owner->node_nonce, owner->key);
    node->frames = 0; /* counters begin anew with a key, never under one */
    node->window = (struct window){0, 0};
    settings_put(&node->settings, SETTING_HUB_COUNTER, NULL, 0);
    node_save_owner(node);
}

enum smp_rc claim_command(struct node *node, const struct smp_frame *request, struct cbor_writer *out, bool by_owner,
                          bool *released) {
    struct cbor_item item;
    const uint8_t *hub;
    const uint8_t *nonce;
    if (by_owner) {
        if (!cbor_find(request->body, "release", &item) || !cbor_bool(item, released))
            return RC_INVALID;
        if (!*released)
            return RC_INVALID;
        cbor_put_map(out, 1);
        cbor_put_text(out, "rc");
        cbor_put_uint(out, RC_OK);
        return RC_OK;
    }
    if (node->owner.claimed && node->owner.settled)
        return RC_REFUSED;
    if (!find_bytes(request->body, "hub", ID_LENGTH, &hub) || !find_bytes(request->body, "nonce", NONCE_LENGTH, &nonce))
        return RC_INVALID;
    take_claim(node, hub, nonce);
    cbor_put_map(out, 2);
    cbor_put_text(out, "rc");
    cbor_put_uint(out, RC_OK);
    cbor_put_text(out, "nonce");
    cbor_put_bytes(out, node->owner.node_nonce, NONCE_LENGTH);
    return RC_OK;
}
