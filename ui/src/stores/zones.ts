import { computed, shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Zone } from '@/api/types'
import { byStatus } from '@/words/order'
import { latest } from './latest'

const all = shallowRef<Zone[] | null>(null)

/** Null until first read. Zones that need a look come first. */
export const zones = shallowReadonly(all)

export const blindZones = computed(() => (all.value ?? []).filter((zone) => zone.status === 'blind').length)

export const fetchZones = latest(async () => {
  const page = await read(client.GET('/api/v1/zones'))
  all.value = [...page.items].sort(byStatus)
})
