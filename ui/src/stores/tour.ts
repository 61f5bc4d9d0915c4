// Facade tours: the stops with what differs there, and what people say of it. Read while the page is open.
import { shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Tour } from '@/api/types'
import { latest } from './latest'
import { until } from './until'

export type Mark = 'fine' | 'ticket' | 'false'

const all = shallowRef<Tour | null>(null)

/** Null until first read. */
export const tour = shallowReadonly(all)

/** Throws ApiError, as all below. */
export const fetchTour = latest(async () => {
  all.value = (await read(client.GET('/api/v1/tour'))) as Tour // the client's types forget how long a box is
})

export function pictureOf(id: string): string {
  return `/api/v1/tour/pictures/${encodeURIComponent(id)}`
}

/** Name a stop, or take it out; hub.yaml is written, and read again by the hub. */
export async function putStop(zone: string, camera: string, preset: string, named: boolean): Promise<void> {
  await read(client.PUT('/api/v1/zones/{zone}/tour', { params: { path: { zone } }, body: { camera, preset, named } }))
  await until(fetchTour, () => named === (all.value?.stops.some((one) => one.zone === zone && one.camera === camera && one.preset === preset) ?? false))
}

export async function makeTour(zone: string | null): Promise<void> {
  await read(client.POST('/api/v1/tour/runs', { body: { zone } }))
  await fetchTour()
}

export async function acceptPicture(id: string): Promise<void> {
  await read(client.PUT('/api/v1/tour/pictures/{id}/accepted', { params: { path: { id } } }))
  await fetchTour()
}

export async function judgeCandidate(id: string, mark: Mark, note: string): Promise<void> {
  await read(client.PUT('/api/v1/tour/candidates/{id}', { params: { path: { id } }, body: { mark, note } }))
  await fetchTour()
}

export async function beginCheck(): Promise<void> {
  await read(client.POST('/api/v1/tour/checks'))
  await fetchTour()
}

export async function tickStop(check: string, stop: string): Promise<void> {
  await read(client.POST('/api/v1/tour/ticks', { body: { check, stop } }))
  await fetchTour()
}
