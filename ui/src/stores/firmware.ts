// What runs on the nodes, and the roll-out. Read while its page is open; everything throws ApiError, or an
// Error in the page's own words where the hub refused and said why.
import { shallowReadonly, shallowRef } from 'vue'
import { ApiError, client, read } from '@/api/client'
import type { Firmware, FirmwareImage, RolloutOrder } from '@/api/types'
import { reasonWords } from '@/words/firmware'
import { latest } from './latest'

/** The hub takes no larger image, in bytes. */
export const LARGEST = 4 * 1024 * 1024

const present = shallowRef<Firmware | null>(null)

/** Null until first read. */
export const firmware = shallowReadonly(present)

export const fetchFirmware = latest(async () => {
  present.value = await read(client.GET('/api/v1/firmware'))
})

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof ApiError && error.code === 'refused' ? new Error(reasonWords(error.message)) : error
  }
}

/** Hand the hub a file; it verifies the signature. */
export async function loadImage(file: File): Promise<FirmwareImage> {
  // The document has no words for a body that is a file.
  const plain = { body: file as never, bodySerializer: (body: unknown) => body as Blob, headers: { 'Content-Type': 'application/octet-stream' } }
  return explained(read(client.PUT('/api/v1/firmware/image', plain)))
}

export async function beginRollout(order: RolloutOrder): Promise<void> {
  await explained(read(client.POST('/api/v1/firmware/rollout', { body: order })))
  await fetchFirmware()
}

export async function stopRollout(): Promise<void> {
  await explained(read(client.DELETE('/api/v1/firmware/rollout')))
  await fetchFirmware()
}
