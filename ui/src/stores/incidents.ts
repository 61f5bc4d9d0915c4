import { computed, shallowReadonly, ref, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Incident, Prompt, Verdict } from '@/api/types'
import { byClosing, mostUrgentFirst } from '@/words/order'
import { now } from './clock'
import { latest } from './latest'

/** The API's limit of one page, and pages read: two thousand open incidents are not for one person to handle. */
const OPEN_LIMIT = 200
const OPEN_PAGES = 10
/** Milliseconds after which the order is looked at again: what nobody answers climbs by itself. */
const CLIMB_MS = 5_000
const CLOSED_PAGE = '10'

const open = shallowRef<Incident[] | null>(null)
const closed = shallowRef<Incident[] | null>(null)
const next = ref<string | null>(null)
const fresh = shallowRef<ReadonlySet<string>>(new Set())
const newest = shallowRef<Incident | null>(null)
const climbed = computed(() => Math.floor(now.value / CLIMB_MS))

/** Null until first read. Most urgent first. */
export const openIncidents = computed(() => open.value && mostUrgentFirst(open.value, climbed.value * CLIMB_MS))
/** Null until first read. Newest first, as many pages as were asked for. */
export const closedIncidents = shallowReadonly(closed)
export const moreClosed = shallowReadonly(next)
/** Opened since this page was opened and not looked at yet. */
export const freshIncidents = shallowReadonly(fresh)
/** The one to announce. */
export const newestIncident = shallowReadonly(newest)

export const fetchOpen = latest(async () => {
  const items = await openPages()
  const known = open.value && new Set(open.value.map((one) => one.id))
  open.value = items
  const unknown = known === null ? [] : items.filter((one) => !known.has(one.id))
  const news = mostUrgentFirst(unknown, now.value)
  const still = new Set(items.map((one) => one.id))
  fresh.value = new Set([...fresh.value, ...news.map((one) => one.id)].filter((id) => still.has(id)))
  if (news[0] !== undefined) newest.value = news[0]
})

export const fetchClosed = latest(async () => {
  const page = await closedPage()
  const loaded = closed.value ?? []
  const ids = new Set(page.items.map((one) => one.id))
  const older = loaded.filter((one) => !ids.has(one.id))
  if (older.length < loaded.length) {
    closed.value = [...page.items, ...older].sort(byClosing) // the cursor of the oldest page stays good
  } else {
    closed.value = [...page.items].sort(byClosing) // nothing in common: start again rather than show a gap
    next.value = page.next
  }
})

export async function fetchMoreClosed(): Promise<void> {
  if (next.value === null) return
  const page = await closedPage(next.value)
  const known = new Set(closed.value?.map((one) => one.id))
  closed.value = [...(closed.value ?? []), ...page.items.filter((one) => !known.has(one.id))].sort(byClosing)
  next.value = page.next
}

export async function fetchIncident(id: string): Promise<Incident> {
  return read(client.GET('/api/v1/incidents/{id}', { params: { path: { id } } }))
}

/** Take a step with an incident as it was seen. Throws ApiError, `already` when somebody was faster. */
export async function handleIncident(
  seen: Incident, state: 'acknowledged' | 'in_progress' | 'closed', verdict: Verdict | null = null, note = '',
): Promise<Incident> {
  const body = { state, seen: seen.state, verdict, note }
  return read(client.PUT('/api/v1/incidents/{id}/state', { params: { path: { id: seen.id } }, body }))
}

/** Say whether something fell. Throws ApiError. */
export async function reviewFall(seen: Incident, fell: boolean, note: string): Promise<Incident> {
  return read(client.PUT('/api/v1/incidents/{id}/review', { params: { path: { id: seen.id } }, body: { fell, seen: seen.state, note } }))
}

/** Speak through the loudspeaker of the incident's zone. Throws ApiError. */
export async function speak(about: Incident, text: string, prompt: string | null, volume: number): Promise<void> {
  const body = { text, prompt, volume, incident: about.id }
  await read(client.POST('/api/v1/zones/{id}/speech', { params: { path: { id: about.zone } }, body }))
}

/** Take a picture and keep it. Throws ApiError. */
export async function takePicture(about: Incident): Promise<void> {
  await read(client.POST('/api/v1/zones/{id}/picture', { params: { path: { id: about.zone } }, body: { incident: about.id } }))
}

export async function fetchPrompts(): Promise<Prompt[]> {
  return (await read(client.GET('/api/v1/prompts'))).items
}

/** Somebody looked at it. */
export function markSeen(id: string): void {
  if (fresh.value.has(id)) fresh.value = new Set([...fresh.value].filter((one) => one !== id))
}

export function forgetIncidents(): void {
  open.value = closed.value = newest.value = next.value = null
  fresh.value = new Set()
}

/** All open incidents, without their timelines. */
async function openPages(): Promise<Incident[]> {
  const items = new Map<string, Incident>()
  let cursor: string | null = null
  for (let page = 0; page < OPEN_PAGES; page += 1) {
    const query = { state: 'open', brief: '1', limit: String(OPEN_LIMIT), ...(cursor === null ? {} : { cursor }) }
    const answer: { items: Incident[]; next: string | null } = await read(client.GET('/api/v1/incidents', { params: { query } }))
    for (const one of answer.items) items.set(one.id, one)
    cursor = answer.next
    if (cursor === null) break
  }
  return [...items.values()]
}

function closedPage(cursor?: string): Promise<{ items: Incident[]; next: string | null }> {
  const query = { state: 'closed', brief: '1', limit: CLOSED_PAGE, ...(cursor === undefined ? {} : { cursor }) }
  return read(client.GET('/api/v1/incidents', { params: { query } }))
}
