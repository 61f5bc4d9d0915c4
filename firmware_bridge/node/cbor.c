/* Reads only what cbor_is_map has checked once; so the getters need no bounds of their own beyond the item's. */
#include "cbor.h"

#include <string.h>

enum major { UINT = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, TAG = 6, SIMPLE = 7 };

struct head {
    enum major major;
    uint8_t info;
    uint64_t value;
    size_t size;
};

static bool read_head(const uint8_t *data, size_t length, struct head *head) {
    if (length == 0)
        return false;
    uint8_t info = data[0] & 0x1F;
    /* 28 to 30 are reserved, 31 is an indefinite length */
    size_t extra = info < 24 ? 0 : info <= 27 ? (size_t)1 << (info - 24) : SIZE_MAX;
    if (extra == SIZE_MAX || extra > length - 1)
        return false;
    head->major = (enum major)(data[0] >> 5);
    head->info = info;
    head->value = info;
    head->size = 1 + extra;
    if (extra > 0) {
        head->value = 0;
        for (size_t i = 1; i <= extra; i++)
            head->value = head->value << 8 | data[i];
    }
    return true;
}

/* Length of the well-formed item at `data`, 0 if there is none. `depth` is how many levels of nesting are left. */
static size_t item_length(const uint8_t *data, size_t length, int depth) {
    struct head head;
    if (!read_head(data, length, &head) || head.major == TAG)
        return 0;
    size_t used = head.size;
    if (head.major == UINT || head.major == NEGATIVE || head.major == SIMPLE)
        return used;
    if (head.major == BYTES || head.major == TEXT)
        return head.value <= length - used ? used + (size_t)head.value : 0;
    if (depth == 0 || head.value > length) /* an entry takes at least one byte: bounds the loop */
        return 0;
    for (uint64_t i = 0; i < head.value; i++) {
        if (head.major == MAP) {
            struct head key;
            size_t size = item_length(data + used, length - used, 0);
            if (size == 0 || !read_head(data + used, length - used, &key) || key.major != TEXT)
                return 0;
            used += size;
        }
        size_t size = item_length(data + used, length - used, depth - 1);
        if (size == 0)
            return 0;
        used += size;
    }
    return used;
}

bool cbor_is_map(const uint8_t *data, size_t length) {
    return length > 0 && data[0] >> 5 == MAP && item_length(data, length, CBOR_DEPTH_MAX) == length;
}

bool cbor_find(struct cbor_item map, const char *key, struct cbor_item *value) {
    struct head head;
    if (!read_head(map.at, map.length, &head) || head.major != MAP)
        return false;
    size_t at = head.size;
    size_t wanted = strlen(key);
    for (uint64_t i = 0; i < head.value; i++) {
        struct head name;
        if (!read_head(map.at + at, map.length - at, &name))
            return false;
        const uint8_t *text = map.at + at + name.size;
        at += name.size + (size_t)name.value;
        size_t length = item_length(map.at + at, map.length - at, CBOR_DEPTH_MAX);
        if (length == 0)
            return false;
        if (name.value == wanted && memcmp(text, key, wanted) == 0) {
            *value = (struct cbor_item){map.at + at, length};
            return true;
        }
        at += length;
    }
    return false;
}

bool cbor_uint(struct cbor_item item, uint64_t *value) {
    struct head head;
    if (!read_head(item.at, item.length, &head) || head.major != UINT)
        return false;
    *value = head.value;
    return true;
}

bool cbor_bool(struct cbor_item item, bool *value) {
    if (item.length != 1 || (item.at[0] != 0xF4 && item.at[0] != 0xF5))
        return false;
    *value = item.at[0] == 0xF5;
    return true;
}

static bool string_of(struct cbor_item item, enum major major, const uint8_t **data, size_t *length) {
    struct head head;
    if (!read_head(item.at, item.length, &head) || head.major != major || head.value != item.length - head.size)
        return false;
    *data = item.at + head.size;
    *length = (size_t)head.value;
    return true;
}

bool cbor_bytes(struct cbor_item item, const uint8_t **data, size_t *length) {
    return string_of(item, BYTES, data, length);
}

bool cbor_text(struct cbor_item item, const char **text, size_t *length) {
    const uint8_t *data;
    if (!string_of(item, TEXT, &data, length))
        return false;
    *text = (const char *)data;
    return true;
}

static void append(struct cbor_writer *out, const void *data, size_t length) {
    if (out->overflow || length > out->capacity - out->length) {
        out->overflow = true;
        return;
    }
    if (length > 0)
        memcpy(out->buffer + out->length, data, length);
    out->length += length;
}

static void put_head(struct cbor_writer *out, enum major major, uint64_t value) {
    uint8_t head[9];
    size_t extra = value < 24 ? 0 : value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : value <= UINT32_MAX ? 4 : 8;
    uint8_t info = extra == 0 ? (uint8_t)value : extra == 1 ? 24 : extra == 2 ? 25 : extra == 4 ? 26 : 27;
    head[0] = (uint8_t)(major << 5 | info);
    for (size_t i = 0; i < extra; i++)
        head[extra - i] = (uint8_t)(value >> (8 * i));
    append(out, head, 1 + extra);
}

void cbor_put_map(struct cbor_writer *out, size_t entries) { put_head(out, MAP, entries); }

void cbor_put_array(struct cbor_writer *out, size_t items) { put_head(out, ARRAY, items); }

void cbor_put_uint(struct cbor_writer *out, uint64_t value) { put_head(out, UINT, value); }

void cbor_put_int(struct cbor_writer *out, int64_t value) {
    if (value < 0)
        put_head(out, NEGATIVE, (uint64_t)(-(value + 1)));
    else
        put_head(out, UINT, (uint64_t)value);
}

void cbor_put_bool(struct cbor_writer *out, bool value) { append(out, value ? "\xF5" : "\xF4", 1); }

void cbor_put_bytes(struct cbor_writer *out, const uint8_t *data, size_t length) {
    put_head(out, BYTES, length);
    append(out, data, length);
}

void cbor_put_text_of(struct cbor_writer *out, const char *text, size_t length) {
    put_head(out, TEXT, length);
    append(out, text, length);
}

void cbor_put_text(struct cbor_writer *out, const char *text) { cbor_put_text_of(out, text, strlen(text)); }

void cbor_put_milli(struct cbor_writer *out, int32_t thousandths) {
    if (thousandths % 1000 == 0) {
        cbor_put_int(out, thousandths / 1000);
        return;
    }
    double number = thousandths / 1000.0;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint8_t encoded[9] = {SIMPLE << 5 | 27};
    for (size_t i = 0; i < 8; i++)
        encoded[8 - i] = (uint8_t)(bits >> (8 * i));
    append(out, encoded, sizeof encoded);
}
