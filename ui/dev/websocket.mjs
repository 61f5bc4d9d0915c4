// As much of RFC 6455 as the mock needs: one text frame at a time, no extensions, no fragments.
import { createHash } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Accept an upgrade; `hear` gets each text. Returns what can send and close. */
export function accept(request, socket, hear) {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + GUID).digest('base64')
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`)
  let rest = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data])
    for (;;) {
      const frame = parse(rest)
      if (frame === null) return
      rest = rest.subarray(frame.length)
      if (frame.opcode === 8) socket.end()
      else if (frame.opcode === 1) hear(frame.payload.toString('utf8'))
    }
  })
  return {
    send: (text) => socket.writable && socket.write(encode(Buffer.from(text))),
    close: () => socket.destroy(),
    onClose: (listener) => socket.on('close', listener),
  }
}

function encode(payload) {
  const head =
    payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 255])
  return Buffer.concat([head, payload])
}

function parse(data) {
  if (data.length < 6) return null
  let size = data[1] & 0x7f
  let at = 2
  if (size === 126) {
    size = data.readUInt16BE(2)
    at = 4
  }
  if (data.length < at + 4 + size) return null
  const mask = data.subarray(at, at + 4)
  const payload = Buffer.from(data.subarray(at + 4, at + 4 + size).map((byte, i) => byte ^ mask[i % 4]))
  return { opcode: data[0] & 0x0f, payload, length: at + 4 + size }
}
