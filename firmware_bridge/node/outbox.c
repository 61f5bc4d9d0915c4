/* An event is sent again after 1 s, then after twice as long each time, up to 30 s (PROTOCOL.md section 3). */
#include "outbox.h"

#include <string.h>

#include "node.h"

enum { HELLO = 1, EVENT = 2 };

#define FIRST_PAUSE 1000U
#define LONGEST_PAUSE 30000U
#define HELLO_UNANSWERED 10000U
#define HEARTBEAT 60000U
#define IDLE 60000U /* ms: longest that outbox_poll asks to be left alone */

static struct smp_frame request(struct node *node, uint8_t command) {
    return (struct smp_frame){
        .op = SMP_WRITE, .version = 1, .group = GROUP_NODE, .sequence = node->sequence++, .command = command};
}

/* First 8 bytes of the SHA-256 over the CBOR of `pts`: the hub asks for the points only when they changed. */
static void points_digest(struct node *node, uint8_t digest[32]) {
    struct cbor_writer out = node_body(node);
    struct port_sha256 hash;
    points_describe(&out);
    port_sha256_begin(&hash);
    port_sha256_add(&hash, out.buffer, out.length);
    port_sha256_end(&hash, digest);
}

static const char *why(const struct node *node) {
    static const char *const reasons[] = {
        [WHY_POWER] = "power", [WHY_RESET] = "reset", [WHY_CRASH] = "crash", [WHY_BROWNOUT] = "brownout"};
    switch (node->outcome) {
    case BOOT_UPDATED:
        return "update";
    case BOOT_REVERTED:
        return "revert";
    case BOOT_REFUSED:
        return "refused";
    default:
        return reasons[port_why()];
    }
}

static void send_hello(struct node *node, uint64_t now) {
    uint8_t digest[32];
    points_digest(node, digest);
    struct smp_frame frame = request(node, HELLO);
    struct cbor_writer out = node_body(node);
    cbor_put_map(&out, 8);
    cbor_put_text(&out, "id");
    cbor_put_bytes(&out, node->who.id, ID_LENGTH);
    cbor_put_text(&out, "model");
    cbor_put_text(&out, node->who.model);
    cbor_put_text(&out, "ver");
    cbor_put_text(&out, node->running.version);
    cbor_put_text(&out, "dig");
    cbor_put_bytes(&out, digest, 8);
    cbor_put_text(&out, "boot");
    cbor_put_uint(&out, node->boot_id);
    cbor_put_text(&out, "up");
    cbor_put_uint(&out, now);
    cbor_put_text(&out, "why");
    cbor_put_text(&out, why(node));
    cbor_put_text(&out, "claimed");
    cbor_put_bool(&out, node->owner.claimed);
    node_send(node, &frame, &out, node->owner.claimed ? node->owner.key : NULL);
}

static bool send_event(struct node *node, const struct event *event) {
    struct smp_frame frame = request(node, EVENT);
    struct cbor_writer out = node_body(node);
    cbor_put_map(&out, 6);
    cbor_put_text(&out, "boot");
    cbor_put_uint(&out, event->boot);
    cbor_put_text(&out, "seq");
    cbor_put_uint(&out, event->seq);
    cbor_put_text(&out, "up");
    cbor_put_uint(&out, event->up);
    cbor_put_text(&out, "t");
    cbor_put_uint(&out, event->wall);
    cbor_put_text(&out, "pt");
    cbor_put_uint(&out, event->point);
    cbor_put_text(&out, "v");
    if (event->is_switch)
        cbor_put_bool(&out, event->value != 0);
    else
        cbor_put_milli(&out, event->value);
    return node_send(node, &frame, &out, node->owner.key);
}

static void fill(struct node *node, uint64_t now) {
    struct outbox *outbox = &node->outbox;
    while (outbox->count < WINDOW_EVENTS) {
        struct waiting *waiting = &outbox->waiting[outbox->count];
        if (!store_next(&node->store, &waiting->event, &waiting->place))
            return;
        waiting->due = now;
        waiting->pause = FIRST_PAUSE;
        outbox->count++;
    }
}

static uint32_t until(uint64_t at, uint64_t now, uint32_t wait) {
    uint64_t left = at > now ? at - now : 0;
    return left < wait ? (uint32_t)left : wait;
}

/* An unclaimed node keeps quiet while somebody asks it: most clients take the next frame for their answer. */
static void poll_hello(struct node *node, uint64_t now) {
    if (!node->owner.claimed && node->asked_plainly != 0 && node->hello_at < node->asked_plainly + HELLO_UNANSWERED)
        node->hello_at = node->asked_plainly + HELLO_UNANSWERED;
    if (now < node->hello_at)
        return;
    node->hello_answered = false;
    node->hello_at = now + HELLO_UNANSWERED;
    send_hello(node, now);
}

uint32_t outbox_poll(struct node *node, uint64_t now) {
    struct outbox *outbox = &node->outbox;
    poll_hello(node, now);
    uint32_t wait = until(node->hello_at, now, IDLE);
    if (!node->owner.settled) /* nobody, or a hub that has not shown yet that it has the key */
        return wait;
    fill(node, now);
    for (unsigned i = 0; i < outbox->count; i++) {
        struct waiting *waiting = &outbox->waiting[i];
        if (waiting->due <= now) {
            if (!send_event(node, &waiting->event))
                return 5; /* the line is busy */
            if (port_duplicates())
                send_event(node, &waiting->event);
            waiting->due = now + waiting->pause;
            waiting->pause = waiting->pause * 2 < LONGEST_PAUSE ? waiting->pause * 2 : LONGEST_PAUSE;
        }
        wait = until(waiting->due, now, wait);
    }
    return wait;
}

static void event_answered(struct outbox *outbox, uint64_t boot, uint64_t seq) {
    for (unsigned i = 0; i < outbox->count; i++) {
        struct waiting *waiting = &outbox->waiting[i];
        if (waiting->event.boot != boot || waiting->event.seq != seq)
            continue;
        store_acknowledge(&waiting->event, &waiting->place);
        outbox->count--;
        memmove(waiting, waiting + 1, (outbox->count - i) * sizeof *waiting);
        return;
    }
}

void outbox_answered(struct node *node, const struct smp_frame *answer) {
    struct cbor_item item;
    uint64_t rc;
    uint64_t boot;
    uint64_t seq;
    if (answer->group != GROUP_NODE || !cbor_find(answer->body, "rc", &item) || !cbor_uint(item, &rc) || rc != RC_OK)
        return;
    if (answer->command == HELLO && !node->hello_answered) {
        node->hello_answered = true;
        node->hello_at += HEARTBEAT - HELLO_UNANSWERED;
    } else if (answer->command == EVENT && cbor_find(answer->body, "boot", &item) && cbor_uint(item, &boot) &&
               cbor_find(answer->body, "seq", &item) && cbor_uint(item, &seq)) {
        event_answered(&node->outbox, boot, seq);
    }
}
