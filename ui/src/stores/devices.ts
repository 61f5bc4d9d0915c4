// Devices in use, found devices, and the forms to add one. Read while the page of devices is open.
import { shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Device, Diagnosis, Discovered, Form, Role } from '@/api/types'
import { latest } from './latest'

const inUse = shallowRef<Device[] | null>(null)
const found = shallowRef<Discovered[] | null>(null)
const known = shallowRef<Form[]>([])

/** Null until first read. */
export const devices = shallowReadonly(inUse)
export const discovered = shallowReadonly(found)
export const forms = shallowReadonly(known)

export const fetchDevices = latest(async () => {
  const [all, inbox] = await Promise.all([
    read(client.GET('/api/v1/devices')),
    read(client.GET('/api/v1/discovered')),
  ])
  inUse.value = all.items
  found.value = inbox.items
})

export const fetchForms = latest(async () => {
  known.value = (await read(client.GET('/api/v1/forms'))).items
})

/** Throws ApiError, as all below. */
export async function addDevice(
  integration: string, name: string, values: Record<string, unknown>, key: string | null,
): Promise<void> {
  // The document says "any object", which its generator reads as one without members.
  const body = { integration, name, values: values as Record<string, undefined>, found: key }
  await read(client.POST('/api/v1/devices', { body }))
  await fetchDevices()
}

export async function removeDevice(integration: string, name: string): Promise<void> {
  await read(client.DELETE('/api/v1/devices/{domain}/{device}', { params: { path: { domain: integration, device: name } } }))
  await fetchDevices()
}

export async function ignoreDevice(key: string, ignored: boolean): Promise<void> {
  await read(client.PUT('/api/v1/discovered/{id}/ignored', { params: { path: { id: key } }, body: { ignored } }))
  await fetchDevices()
}

export async function bindEntity(zone: string, role: Role, entity: string, bound = true): Promise<void> {
  await read(client.PUT('/api/v1/zones/{id}/bind', { params: { path: { id: zone } }, body: { role, entity, bound } }))
  await fetchDevices()
}

/** What the hub tried, what answered, what to do next. */
export async function examineDevice(domain: string, device: string): Promise<Diagnosis> {
  return read(client.GET('/api/v1/devices/{domain}/{device}/examination', { params: { path: { domain, device } } }))
}
