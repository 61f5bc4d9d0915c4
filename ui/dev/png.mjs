// Pictures for the mock: a road at night with or without a vehicle, drawn in code and packed as PNG.
import { deflateSync } from 'node:zlib'

const [WIDTH, HEIGHT] = [640, 360]

/** A PNG of the fire lane; `car` draws a vehicle on it. */
export function picture(car) {
  const pixels = Buffer.alloc(HEIGHT * (1 + WIDTH * 3)) // each row begins with its filter, 0
  const put = (x, y, [r, g, b]) => pixels.set([r, g, b], y * (1 + WIDTH * 3) + 1 + x * 3)
  const box = (left, top, width, height, colour) => {
    for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) put(x, y, colour)
  }
  for (let y = 0; y < HEIGHT; y++) {
    const light = y < 150 ? 34 + y / 6 : 70 + (y - 150) / 5
    for (let x = 0; x < WIDTH; x++) put(x, y, [light * 0.9, light, light * 1.12])
  }
  for (let i = 0; i < 7; i++) box(30 + i * 90, 30 + (i % 3) * 14, 46, 62, i % 2 ? [60, 66, 78] : [196, 172, 104])
  for (let y = 150; y < HEIGHT; y += 3) for (let x = (y * 2) % 40; x < WIDTH; x += 40) put(x, y, [150, 60, 50])
  box(0, 165, WIDTH, 5, [206, 170, 40])
  box(0, 335, WIDTH, 5, [206, 170, 40])
  if (car) {
    box(215, 195, 170, 55, [188, 196, 206])
    box(160, 240, 290, 60, [206, 212, 220])
    box(232, 205, 62, 36, [40, 52, 66])
    box(304, 205, 66, 36, [40, 52, 66])
    box(438, 254, 12, 16, [250, 240, 170])
    for (const x of [205, 370]) box(x, 280, 46, 40, [22, 24, 28])
  }
  return png(pixels)
}

function png(pixels) {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(WIDTH, 0)
  header.writeUInt32BE(HEIGHT, 4)
  header.set([8, 2, 0, 0, 0], 8) // 8 bits, RGB
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

function crc32(data) {
  let crc = ~0
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
