/* The part of CBOR (RFC 8949) that the protocol uses: definite lengths, at most 4 levels, text keys. */
#ifndef NODE_CBOR_H
#define NODE_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CBOR_DEPTH_MAX 4

/* One encoded item inside somebody else's buffer. */
struct cbor_item {
    const uint8_t *at;
    size_t length;
};

/* Whether `data` is exactly one well-formed map within the limits. All below expects such a map or an item of one. */
bool cbor_is_map(const uint8_t *data, size_t length);

/* The value of `key` in a checked map; false if it is not there. */
bool cbor_find(struct cbor_item map, const char *key, struct cbor_item *value);

/* Each is false if the item is of another type; text and bytes point into the item and end without a zero. */
bool cbor_uint(struct cbor_item item, uint64_t *value);
bool cbor_bool(struct cbor_item item, bool *value);
bool cbor_bytes(struct cbor_item item, const uint8_t **data, size_t *length);
bool cbor_text(struct cbor_item item, const char **text, size_t *length);

/* Writes into a fixed buffer; what does not fit sets `overflow` and is not written. */
struct cbor_writer {
    uint8_t *buffer;
    size_t capacity;
    size_t length;
    bool overflow;
};

void cbor_put_map(struct cbor_writer *out, size_t entries);
void cbor_put_array(struct cbor_writer *out, size_t items);
void cbor_put_uint(struct cbor_writer *out, uint64_t value);
void cbor_put_int(struct cbor_writer *out, int64_t value);
void cbor_put_bool(struct cbor_writer *out, bool value);
void cbor_put_bytes(struct cbor_writer *out, const uint8_t *data, size_t length);
void cbor_put_text(struct cbor_writer *out, const char *text);
void cbor_put_text_of(struct cbor_writer *out, const char *text, size_t length);
/* Thousandths: an integer when it is whole, else a double. */
void cbor_put_milli(struct cbor_writer *out, int32_t thousandths);

#endif
