/* The main loop: what came in, what the points say, what is to go out. Nothing here waits. */
#include "node.h"

#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "trust.h"

#define OWNER_RECORD (1 + ID_LENGTH + KEY_LENGTH + 2 * NONCE_LENGTH)
_Static_assert(OWNER_RECORD <= SETTING_MAX, "the owner is one setting");

uint64_t node_wall(const struct node *node, uint64_t now) {
    return node->wall_offset == 0 ? 0 : node->wall_offset + now;
}

void node_save_owner(struct node *node) {
    uint8_t record[OWNER_RECORD];
    const struct owner *owner = &node->owner;
    record[0] = owner->settled;
    memcpy(record + 1, owner->hub, ID_LENGTH);
    memcpy(record + 1 + ID_LENGTH, owner->key, KEY_LENGTH);
    memcpy(record + 1 + ID_LENGTH + KEY_LENGTH, owner->hub_nonce, NONCE_LENGTH);
    memcpy(record + 1 + ID_LENGTH + KEY_LENGTH + NONCE_LENGTH, owner->node_nonce, NONCE_LENGTH);
    settings_put(&node->settings, SETTING_OWNER, record, sizeof record);
}

static void load_owner(struct node *node) {
    uint8_t record[OWNER_RECORD];
    uint8_t highest[8];
    struct owner *owner = &node->owner;
    if (!settings_get(&node->settings, SETTING_OWNER, record, sizeof record))
        return;
    owner->claimed = true;
    owner->settled = record[0] != 0;
    memcpy(owner->hub, record + 1, ID_LENGTH);
    memcpy(owner->key, record + 1 + ID_LENGTH, KEY_LENGTH);
    memcpy(owner->hub_nonce, record + 1 + ID_LENGTH + KEY_LENGTH, NONCE_LENGTH);
    memcpy(owner->node_nonce, record + 1 + ID_LENGTH + KEY_LENGTH + NONCE_LENGTH, NONCE_LENGTH);
    if (settings_get(&node->settings, SETTING_HUB_COUNTER, highest, sizeof highest))
        node->window = window_after(le64(highest));
}

static void count_start(struct node *node) {
    uint8_t record[4] = {0};
    settings_get(&node->settings, SETTING_BOOT_ID, record, sizeof record);
    node->boot_id = le32(record) + 1;
    put_le32(record, node->boot_id);
    settings_put(&node->settings, SETTING_BOOT_ID, record, sizeof record);
}

void node_start(struct node *node, const struct identity *who, enum boot_outcome outcome, uint64_t now) {
    char line[80];
    memset(node, 0, sizeof *node);
    node->who = *who;
    node->outcome = outcome;
    image_read(AREA_RUNNING, &node->running);
    boot_open(&node->boot);
    settings_open(&node->settings, AREA_SETTINGS);
    count_start(node);
    load_owner(node);
    store_open(&node->store);
    upload_open(&node->upload, &node->settings);
    points_start(&node->points, &node->settings, who->field_period, now);
    if (node->owner.claimed)
        points_report(&node->points);
    snprintf(line, sizeof line, "%s %s, start %u", who->model, node->running.version, (unsigned)node->boot_id);
    port_print(line);
}

void node_release(struct node *node, uint64_t now) {
    settings_put(&node->settings, SETTING_OWNER, NULL, 0);
    settings_put(&node->settings, SETTING_HUB_COUNTER, NULL, 0);
    memset(&node->owner, 0, sizeof node->owner);
    memset(&node->outbox, 0, sizeof node->outbox);
    store_erase(&node->store);
    points_switch(&node->points, false, 0, now);
    node->points.count = 0;
    node->hello_at = now + HELLO_AFTER_CLAIM;
    port_print("released");
}

struct cbor_writer node_body(struct node *node) {
    return (struct cbor_writer){.buffer = node->frame + SMP_HEADER, .capacity = SMP_BODY_MAX - TAIL_LENGTH};
}

bool node_send(struct node *node, const struct smp_frame *frame, const struct cbor_writer *out, const uint8_t *key) {
    bool answer = frame->op == SMP_READ_ANSWER || frame->op == SMP_WRITE_ANSWER;
    size_t length = SMP_HEADER + out->length;
    size_t sealed = key == NULL ? length : length + TAIL_LENGTH;
    bool serial = port_is_serial();
    if (out->overflow || (serial ? console_encoded_length(sealed) : sealed) > port_room())
        return false;
    smp_put_header(node->frame, frame, out->length);
    if (key != NULL)
        length = auth_seal(key, node->who.id, FROM_NODE, (uint64_t)node->boot_id << 32 | ++node->frames, node->frame,
                           length, sizeof node->frame);
    if (serial)
        port_send((const uint8_t *)node->lines, console_encode(node->frame, length, node->lines, sizeof node->lines),
                  answer);
    else
        port_send(node->frame, length, answer);
    return true;
}

void node_receive(struct node *node, const uint8_t *data, size_t length, uint64_t now) {
    struct smp_frame frame;
    if (!smp_parse(data, length, &frame)) {
        node->dropped.malformed++;
        return;
    }
    trust_take(node, &frame, data, length, now);
}

static void poll_link(struct node *node, uint64_t now) {
    size_t length;
    const uint8_t *frame;
    size_t frame_length;
    for (int turns = 0; turns < 16 && (length = port_receive(node->datagram, sizeof node->datagram)) > 0; turns++) {
        if (!port_is_serial()) {
            node_receive(node, node->datagram, length, now);
            continue;
        }
        for (size_t i = 0; i < length; i++)
            if (console_take(&node->console, node->datagram[i], &frame, &frame_length))
                node_receive(node, frame, frame_length, now);
    }
}

/* A reading becomes an event, and stands in flash before anything is sent. */
static void store_readings(struct node *node, uint64_t now) {
    struct reading reading;
    while (points_take(&node->points, &reading)) {
        if (!node->owner.claimed) /* nobody is to know, so nothing is kept */
            continue;
        struct event event = {
            .boot = node->boot_id,
            .seq = ++node->events,
            .up = now,
            .wall = node_wall(node, now),
            .value = reading.value,
            .point = (uint8_t)reading.point,
            .is_switch = point_is_switch(reading.point),
            .telemetry = point_is_telemetry(reading.point),
        };
        store_add(&node->store, &event);
    }
}

uint32_t node_poll(struct node *node, uint64_t now) {
    poll_link(node, now);
    if (port_release_pressed() && node->owner.claimed)
        node_release(node, now);
    uint32_t wait = points_poll(&node->points, &node->settings, now);
    store_readings(node, now);
    uint32_t until_sending = outbox_poll(node, now);
    if (node->reset_at != 0 && now >= node->reset_at)
        port_reset(WHY_RESET);
    return until_sending < wait ? until_sending : wait;
}
