import { computed, shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Zone } from '@/api/types'
import { byStatus } from '@/words/order'
import { latest } from './latest'

const all = shallowRef<Zone[] | null>(null)

/** Null until first read. Zones that need a look come first. */
export const zones = shallowReadonly(all)

export const blindZones = computed(() => (all.value ?? []).filter((zone) => zone.status === 'blind').length)

/** What is to be fetched next: all zones, or these. */
let wanted: 'all' | Set<string> = 'all'

/** One question at a time, so that an old answer never lies over a newer one; what changes meanwhile is asked next. */
const fetchWanted = latest(async () => {
  const named = wanted !== 'all' && all.value !== null ? wanted : null
  wanted = new Set()
  if (named?.size === 0) return
  try {
    // The document has one `id`, which may be given several times.
    const query = named ? { id: [...named] as unknown as string } : {}
    const { items } = await read(client.GET('/api/v1/zones', { params: { query } }))
    const changed = new Map(items.map((zone) => [zone.id, zone]))
    all.value = (named ? (all.value ?? []).map((zone) => changed.get(zone.id) ?? zone) : [...items]).sort(byStatus)
  } catch (error) {
    wanted = 'all' // what was asked is not known, and perhaps more by then
    throw error
  }
})

export function fetchZones(): Promise<void> {
  wanted = 'all'
  return fetchWanted()
}

/** Fetch only these again. */
export function fetchSomeZones(ids: Iterable<string>): Promise<void> {
  if (wanted !== 'all') for (const id of ids) wanted.add(id)
  return fetchWanted()
}
