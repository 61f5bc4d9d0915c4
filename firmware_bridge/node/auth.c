/* HMAC (RFC 2104) and HKDF (RFC 5869) over the port's SHA-256; macs are compared in constant time. */
#include "auth.h"

#include <string.h>

#include "bytes.h"
#include "port.h"
#include "smp.h"

#define BLOCK 64
#define MAC_LENGTH 8

static const uint8_t COUNTER_MARK[] = {0x63, 'c', 't', 'r', 0x1B};
static const uint8_t MAC_MARK[] = {0x63, 'm', 'a', 'c', 0x48};

struct hmac {
    struct port_sha256 inner;
    uint8_t outer_pad[BLOCK];
};

/* Keys here are never longer than a block. */
static void hmac_begin(struct hmac *hmac, const uint8_t *key, size_t length) {
    uint8_t pad[BLOCK] = {0};
    memcpy(pad, key, length);
    for (size_t i = 0; i < BLOCK; i++) {
        hmac->outer_pad[i] = pad[i] ^ 0x5C;
        pad[i] ^= 0x36;
    }
    port_sha256_begin(&hmac->inner);
    port_sha256_add(&hmac->inner, pad, BLOCK);
}

static void hmac_end(struct hmac *hmac, uint8_t mac[32]) {
    port_sha256_end(&hmac->inner, mac);
    port_sha256_begin(&hmac->inner);
    port_sha256_add(&hmac->inner, hmac->outer_pad, BLOCK);
    port_sha256_add(&hmac->inner, mac, 32);
    port_sha256_end(&hmac->inner, mac);
}

/* HKDF with one round of expansion: 16 bytes are wanted. */
static void derive(const char code[CODE_LENGTH], const uint8_t *salt, size_t salt_length, const uint8_t *info,
                   size_t info_length, uint8_t key[KEY_LENGTH]) {
    static const uint8_t first_round = 1;
    uint8_t digest[32];
    struct hmac hmac;
    hmac_begin(&hmac, salt, salt_length);
    port_sha256_add(&hmac.inner, code, CODE_LENGTH);
    hmac_end(&hmac, digest);
    hmac_begin(&hmac, digest, sizeof digest);
    port_sha256_add(&hmac.inner, info, info_length);
    port_sha256_add(&hmac.inner, &first_round, 1);
    hmac_end(&hmac, digest);
    memcpy(key, digest, KEY_LENGTH);
}

void claim_key(const char code[CODE_LENGTH], const uint8_t id[ID_LENGTH], uint8_t key[KEY_LENGTH]) {
    static const char info[] = "menshen claim";
    derive(code, id, ID_LENGTH, (const uint8_t *)info, sizeof info - 1, key);
}

void owner_key(const char code[CODE_LENGTH], const uint8_t id[ID_LENGTH], const uint8_t hub[ID_LENGTH],
               const uint8_t hub_nonce[NONCE_LENGTH], const uint8_t node_nonce[NONCE_LENGTH], uint8_t key[KEY_LENGTH]) {
    static const char label[] = "menshen node";
    uint8_t salt[2 * NONCE_LENGTH];
    uint8_t info[sizeof label - 1 + 2 * ID_LENGTH];
    memcpy(salt, hub_nonce, NONCE_LENGTH);
    memcpy(salt + NONCE_LENGTH, node_nonce, NONCE_LENGTH);
    memcpy(info, label, sizeof label - 1);
    memcpy(info + sizeof label - 1, id, ID_LENGTH);
    memcpy(info + sizeof label - 1 + ID_LENGTH, hub, ID_LENGTH);
    derive(code, salt, sizeof salt, info, sizeof info, key);
}

static void mac_of(const uint8_t key[KEY_LENGTH], const uint8_t id[ID_LENGTH], enum direction direction,
                   const uint8_t *frame, size_t length, uint8_t mac[32]) {
    uint8_t from = (uint8_t)direction;
    struct hmac hmac;
    hmac_begin(&hmac, key, KEY_LENGTH);
    port_sha256_add(&hmac.inner, &from, 1);
    port_sha256_add(&hmac.inner, id, ID_LENGTH);
    port_sha256_add(&hmac.inner, frame, length - MAC_LENGTH);
    hmac_end(&hmac, mac);
}

size_t auth_seal(const uint8_t key[KEY_LENGTH], const uint8_t id[ID_LENGTH], enum direction direction, uint64_t counter,
                 uint8_t *frame, size_t length, size_t capacity) {
    size_t sealed = length + TAIL_LENGTH;
    if (sealed > capacity || sealed > SMP_FRAME_MAX || frame[SMP_HEADER] < 0xA0 || frame[SMP_HEADER] > 0xA0 + 21)
        return 0;
    frame[SMP_HEADER] = (uint8_t)(frame[SMP_HEADER] + 2);
    put_be16(frame + 2, (uint16_t)(sealed - SMP_HEADER));
    uint8_t *tail = frame + length;
    memcpy(tail, COUNTER_MARK, sizeof COUNTER_MARK);
    put_be64(tail + sizeof COUNTER_MARK, counter);
    memcpy(tail + sizeof COUNTER_MARK + 8, MAC_MARK, sizeof MAC_MARK);
    uint8_t mac[32];
    mac_of(key, id, direction, frame, sealed, mac);
    memcpy(frame + sealed - MAC_LENGTH, mac, MAC_LENGTH);
    return sealed;
}

bool auth_has_tail(const uint8_t *frame, size_t length) {
    if (length <= SMP_HEADER + TAIL_LENGTH)
        return false;
    const uint8_t *tail = frame + length - TAIL_LENGTH;
    return memcmp(tail, COUNTER_MARK, sizeof COUNTER_MARK) == 0 &&
           memcmp(tail + sizeof COUNTER_MARK + 8, MAC_MARK, sizeof MAC_MARK) == 0;
}

bool auth_open(const uint8_t key[KEY_LENGTH], const uint8_t id[ID_LENGTH], enum direction direction,
               const uint8_t *frame, size_t length, uint64_t *counter) {
    if (!auth_has_tail(frame, length))
        return false;
    uint8_t mac[32];
    mac_of(key, id, direction, frame, length, mac);
    uint8_t difference = 0;
    for (size_t i = 0; i < MAC_LENGTH; i++)
        difference |= (uint8_t)(mac[i] ^ frame[length - MAC_LENGTH + i]);
    *counter = be64(frame + length - TAIL_LENGTH + sizeof COUNTER_MARK);
    return difference == 0;
}

struct window window_after(uint64_t highest) { return (struct window){highest, UINT64_MAX}; }

bool window_take(struct window *window, uint64_t counter) {
    if (counter > window->highest) {
        uint64_t ahead = counter - window->highest;
        window->seen = ahead >= 64 ? 1 : window->seen << ahead | 1;
        window->highest = counter;
        return true;
    }
    uint64_t behind = window->highest - counter;
    if (behind >= 64 || (window->seen >> behind & 1) != 0)
        return false;
    window->seen |= (uint64_t)1 << behind;
    return true;
}
