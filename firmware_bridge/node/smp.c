/* Nothing of a frame is believed before all of it is checked. */
#include "smp.h"

#include "bytes.h"

bool smp_parse(const uint8_t *data, size_t length, struct smp_frame *frame) {
    if (length <= SMP_HEADER || length > SMP_FRAME_MAX || be16(data + 2) != length - SMP_HEADER)
        return false;
    uint8_t version = data[0] >> 3; /* bits 7-5 are reserved: anything there is not version 0 or 1 */
    uint8_t op = data[0] & 7;
    if (version > 1 || op > SMP_WRITE_ANSWER || !cbor_is_map(data + SMP_HEADER, length - SMP_HEADER))
        return false;
    *frame = (struct smp_frame){
        .op = (enum smp_op)op,
        .version = version,
        .group = be16(data + 4),
        .sequence = data[6],
        .command = data[7],
        .body = {data + SMP_HEADER, length - SMP_HEADER},
    };
    return true;
}

void smp_put_header(uint8_t *data, const struct smp_frame *frame, size_t body_length) {
    data[0] = (uint8_t)(frame->version << 3 | (uint8_t)frame->op);
    data[1] = 0;
    put_be16(data + 2, (uint16_t)body_length);
    put_be16(data + 4, frame->group);
    data[6] = frame->sequence;
    data[7] = frame->command;
}
