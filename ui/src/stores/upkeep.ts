// How the devices are and what must be repaired. Read while a page of theirs is open.
import { shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Ticket, Upkeep } from '@/api/types'
import { latest } from './latest'

const all = shallowRef<Upkeep[] | null>(null)
const toDo = shallowRef<Ticket[] | null>(null)
const finished = shallowRef<Ticket[]>([])

/** Null until first read; those in trouble first. */
export const upkeep = shallowReadonly(all)
export const openTickets = shallowReadonly(toDo)
export const doneTickets = shallowReadonly(finished)

/** Entities that fell silent or were never heard, rather than merely waiting to say again what they said before a restart. */
export function silent(device: Upkeep): number {
  return device.untrusted - device.unconfirmed
}

/** The higher, the sooner somebody must look: not working, silent, empty battery, noisy. */
export function trouble(device: Upkeep): number {
  return (device.state !== 'running' ? 8 : 0) + (silent(device) > 0 || device.sight ? 4 : 0) + (device.battery !== null && device.battery < 20 ? 2 : 0)
    + ((device.noise ?? 0) > 0.3 ? 1 : 0)
}

/** Throws ApiError, as all below. */
export const fetchUpkeep = latest(async () => {
  const [devices, open, done] = await Promise.all([
    read(client.GET('/api/v1/upkeep')),
    read(client.GET('/api/v1/tickets', { params: { query: { state: 'open', limit: '200' } } })),
    read(client.GET('/api/v1/tickets', { params: { query: { state: 'done', limit: '20' } } })),
  ])
  all.value = [...devices.items].sort((one, other) => trouble(other) - trouble(one) || one.id.localeCompare(other.id))
  toDo.value = open.items
  finished.value = done.items
})

export async function openTicket(device: string, note: string, assigned: string): Promise<void> {
  await read(client.POST('/api/v1/tickets', { body: { device, note, assigned } }))
  await fetchUpkeep()
}

export async function changeTicket(id: string, change: { assigned?: string; device?: string; done?: boolean }): Promise<void> {
  await read(client.PUT('/api/v1/tickets/{id}', { params: { path: { id } }, body: { device: null, note: null, assigned: null, done: false, ...change } }))
  await fetchUpkeep()
}
