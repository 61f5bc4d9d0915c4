/** Two seconds of a chime as WAV (8 kHz, 16 bit, mono), in place of a recorded announcement. */
export function chime() {
  const rate = 8000
  const samples = rate * 2
  const out = Buffer.alloc(44 + samples * 2)
  out.write('RIFF', 0)
  out.writeUInt32LE(36 + samples * 2, 4)
  out.write('WAVEfmt ', 8)
  out.writeUInt32LE(16, 16)
  out.writeUInt16LE(1, 20)
  out.writeUInt16LE(1, 22)
  out.writeUInt32LE(rate, 24)
  out.writeUInt32LE(rate * 2, 28)
  out.writeUInt16LE(2, 32)
  out.writeUInt16LE(16, 34)
  out.write('data', 36)
  out.writeUInt32LE(samples * 2, 40)
  for (let i = 0; i < samples; i++) {
    const tone = i < samples / 2 ? 660 : 520
    const fade = Math.exp((-3 * (i % (samples / 2))) / rate)
    out.writeInt16LE(Math.round(9000 * fade * Math.sin((2 * Math.PI * tone * i) / rate)), 44 + i * 2)
  }
  return out
}
