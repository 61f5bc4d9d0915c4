// Areas, and the writing of areas and zones; zones themselves are read in stores/zones.
import { shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Area, Text, ZoneKind } from '@/api/types'
import { latest } from './latest'
import { until } from './until'
import { fetchZones, zones } from './zones'

const all = shallowRef<Area[]>([])

export const areas = shallowReadonly(all)

export const fetchAreas = latest(async () => {
  all.value = (await read(client.GET('/api/v1/areas'))).items
})

/** Throws ApiError, as below. */
export async function putArea(id: string, name: Text, parent: string | null = null): Promise<void> {
  await read(client.PUT('/api/v1/areas/{id}', { params: { path: { id } }, body: { name, parent } }))
  await fetchAreas()
}

export async function putZone(id: string, kind: ZoneKind, name: Text, area: string | null): Promise<void> {
  await read(client.PUT('/api/v1/zones/{id}', { params: { path: { id } }, body: { kind, name, area, supplied_by: [] } }))
  await until(fetchZones, () => zones.value?.some((zone) => zone.id === id) ?? false)
}
