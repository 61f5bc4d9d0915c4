import { computed, shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Mode, ModeState, Site, Text } from '@/api/types'
import { latest } from './latest'
import { until } from './until'

const current = shallowRef<Site | null>(null)

export const site = shallowReadonly(current)

/** Until the site is known, Beijing time: every community of this product lives in it. */
export const timezone = computed(() => current.value?.timezone || 'Asia/Shanghai')

export const fetchSite = latest(async () => {
  current.value = await read(client.GET('/api/v1/site'))
})

export function modeState(mode: Mode): ModeState {
  return current.value?.modes.find((one) => one.mode === mode) ?? { mode, on: false, until: null, by: '' }
}

/** Throws ApiError, as below. */
export async function nameSite(name: Text): Promise<void> {
  await read(client.PUT('/api/v1/site/name', { body: { name } }))
  await until(fetchSite, () => current.value?.name.zh === name.zh)
}

/** `minutes` null is until somebody switches it off. */
export async function switchMode(mode: Mode, on: boolean, minutes: number | null): Promise<void> {
  await read(client.PUT('/api/v1/site/modes/{mode}', { params: { path: { mode } }, body: { on, minutes } }))
  await fetchSite()
}
