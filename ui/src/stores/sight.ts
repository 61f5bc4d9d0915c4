// The cameras that see: what each has before it, its picture, and where it looks, which managers set.
import { shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Decode, FloorPoint, Point, Sees, Sight } from '@/api/types'
import { latest } from './latest'
import { until } from './until'

const all = shallowRef<Sight[] | null>(null)

/** Null until first read. */
export const sights = shallowReadonly(all)

export const fetchSights = latest(async () => {
  all.value = (await read(client.GET('/api/v1/sight'))).items as Sight[] // the client's types forget how long a point is
})

/** The last picture without anything drawn into it. Throws ApiError, as below. */
export async function sightPicture(camera: string): Promise<Blob> {
  const params = { path: { entity: camera }, query: { plain: '1' } }
  return (await read(client.GET('/api/v1/sight/{entity}/picture', { params, parseAs: 'blob' }))) as unknown as Blob
}

export interface Card { at: string; seen: boolean }

/** Whether the test card that somebody holds up is in the last picture. */
export async function sightCard(camera: string): Promise<Card> {
  return read(client.GET('/api/v1/sight/{entity}/card', { params: { path: { entity: camera } } }))
}

export interface Place { zone: string; camera: string; sees: Sees }

/** Without `decode` it stays as it is. */
export async function putSight(place: Place, polygon: Point[], floors: FloorPoint[], decode: Decode | null = null): Promise<void> {
  const params = { path: { zone: place.zone, entity: place.camera, sees: place.sees } }
  await read(client.PUT('/api/v1/zones/{zone}/sight/{entity}/{sees}', { params, body: { polygon, floors, decode } }))
  await until(fetchSights, () => {
    const found = seen(place)
    return found !== undefined && (decode === null || found.decode === decode) && near(found.polygon, polygon) && near(found.floors, floors)
  })
}

export async function removeSight(place: Place): Promise<void> {
  const params = { path: { zone: place.zone, entity: place.camera, sees: place.sees } }
  await read(client.DELETE('/api/v1/zones/{zone}/sight/{entity}/{sees}', { params }))
  await until(fetchSights, () => seen(place) === undefined)
}

function seen(place: Place): Sight['seen'][number] | undefined {
  const camera = all.value?.find((one) => one.camera === place.camera)
  return camera?.seen.find((one) => one.zone === place.zone && one.sees === place.sees)
}

/** Whether two lists of points are one; the hub keeps four decimals. */
function near(some: readonly (readonly number[])[], others: readonly (readonly number[])[]): boolean {
  return some.length === others.length
    && some.every((one, index) => one.every((part, axis) => Math.abs(part - (others[index]?.[axis] ?? -9)) < 1e-4))
}
