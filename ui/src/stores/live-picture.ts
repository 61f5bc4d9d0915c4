// What a camera sees now. The picture says itself when it was taken: one that hangs must not pass for the present.
import { client, read } from '@/api/client'

export interface LivePicture {
  blob: Blob
  /** When it was taken, RFC 3339. */
  at: string
}

/** Throws ApiError. */
export async function livePicture(zone: string): Promise<LivePicture> {
  const asked = client.GET('/api/v1/zones/{id}/picture', { params: { path: { id: zone } }, parseAs: 'blob' })
  const blob = (await read(asked)) as unknown as Blob // the document says "any media type", its generator reads text
  const { response } = await asked
  return { blob, at: response.headers.get('X-Taken-At') ?? new Date().toISOString() }
}
