/* PROTOCOL.md section 2: all of group 80 and every write of groups 0 and 1 is authentic, or dropped in silence. */
#include "trust.h"

#include "bytes.h"
#include "commands.h"

enum { CLAIM = 4, UPLOAD = 1 };

static bool is_request(const struct smp_frame *frame) { return frame->op == SMP_READ || frame->op == SMP_WRITE; }

static bool is_claim(const struct smp_frame *frame) {
    return frame->group == GROUP_NODE && frame->op == SMP_WRITE && frame->command == CLAIM;
}

static bool must_be_sealed(const struct smp_frame *frame) {
    bool write = frame->op == SMP_WRITE || frame->op == SMP_WRITE_ANSWER;
    return frame->group == GROUP_NODE || (write && (frame->group == GROUP_OS || frame->group == GROUP_IMAGE));
}

static void answer(struct node *node, const struct smp_frame *request, struct cbor_writer *out, enum smp_rc rc,
                   const uint8_t *key) {
    struct smp_frame frame = *request;
    frame.op = request->op == SMP_READ ? SMP_READ_ANSWER : SMP_WRITE_ANSWER;
    if (rc == RC_OK && out->overflow)
        rc = RC_NO_MEMORY;
    if (rc != RC_OK) {
        *out = node_body(node);
        cbor_put_map(out, 1);
        cbor_put_text(out, "rc");
        cbor_put_uint(out, (uint64_t)rc);
    }
    node_send(node, &frame, out, key);
}

static enum smp_rc act(struct node *node, const struct smp_frame *request, struct cbor_writer *out, uint64_t now) {
    switch (request->group) {
    case GROUP_OS:
        return os_command(node, request, out, now);
    case GROUP_IMAGE:
        return image_command(node, request, out);
    case GROUP_NODE:
        return node_command(node, request, out, now);
    default:
        return RC_REFUSED;
    }
}

/* Under the owner's key a claim frame releases; under the label's it claims, as long as nobody has done so for good. */
static void take_claim(struct node *node, const struct smp_frame *frame, const uint8_t *data, size_t length,
                       bool by_owner, uint64_t now) {
    uint8_t label_key[KEY_LENGTH];
    uint64_t counter;
    bool released = false;
    claim_key(node->who.code, node->who.id, label_key);
    if (!by_owner && !auth_open(label_key, node->who.id, FROM_HUB, data, length, &counter)) {
        node->dropped.forged++;
        return;
    }
    struct cbor_writer out = node_body(node);
    bool was_claimed = node->owner.claimed;
    enum smp_rc rc = claim_command(node, frame, &out, by_owner, &released);
    answer(node, frame, &out, rc, by_owner ? node->owner.key : label_key);
    if (released) {
        node_release(node, now);
    } else if (rc == RC_OK) {
        node->hello_at = now + HELLO_AFTER_CLAIM;
        if (!was_claimed)
            points_report(&node->points);
    }
}

/* After a restart nothing is acted on a second time. An upload's chunk is harmless twice and comes by the thousand. */
static void remember_counter(struct node *node, const struct smp_frame *frame) {
    uint8_t highest[8];
    if (frame->op != SMP_WRITE || (frame->group == GROUP_IMAGE && frame->command == UPLOAD))
        return;
    put_le64(highest, node->window.highest);
    settings_put(&node->settings, SETTING_HUB_COUNTER, highest, sizeof highest);
}

/* Whether it came from the owner now. A first such frame settles a claim. */
static bool is_owners(struct node *node, const struct smp_frame *frame, const uint8_t *data, size_t length) {
    uint64_t counter;
    if (!auth_open(node->owner.key, node->who.id, FROM_HUB, data, length, &counter)) {
        if (!is_claim(frame))
            node->dropped.forged++;
        return false;
    }
    if (!window_take(&node->window, counter)) {
        node->dropped.replayed++;
        return false;
    }
    if (!node->owner.settled) {
        node->owner.settled = true;
        node_save_owner(node);
    }
    remember_counter(node, frame);
    return true;
}

void trust_take(struct node *node, const struct smp_frame *frame, const uint8_t *data, size_t length, uint64_t now) {
    bool sealed = node->owner.claimed && must_be_sealed(frame);
    bool by_owner = sealed && is_owners(node, frame, data, length);
    if (is_claim(frame)) {
        take_claim(node, frame, data, length, by_owner, now);
        return;
    }
    if (sealed && !by_owner)
        return;
    if (!is_request(frame)) {
        outbox_answered(node, frame);
        return;
    }
    if (!node->owner.claimed)
        node->asked_plainly = now;
    struct cbor_writer out = node_body(node);
    enum smp_rc rc = act(node, frame, &out, now);
    answer(node, frame, &out, rc, sealed ? node->owner.key : NULL);
}
