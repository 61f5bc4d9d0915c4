import { shallowReadonly, ref, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Incident } from '@/api/types'
import { byClosing, byUrgency } from '@/words/order'
import { latest } from './latest'

/** More open incidents than one page may hold (the API's limit) are not for one person to handle. */
const OPEN_LIMIT = '200'
const CLOSED_PAGE = '10'

const open = shallowRef<Incident[] | null>(null)
const closed = shallowRef<Incident[] | null>(null)
const next = ref<string | null>(null)
const fresh = shallowRef<ReadonlySet<string>>(new Set())
const newest = shallowRef<Incident | null>(null)

/** Null until first read. Most urgent first. */
export const openIncidents = shallowReadonly(open)
/** Null until first read. Newest first, as many pages as were asked for. */
export const closedIncidents = shallowReadonly(closed)
export const moreClosed = shallowReadonly(next)
/** Opened since this page was opened and not looked at yet. */
export const freshIncidents = shallowReadonly(fresh)
/** The one to announce. */
export const newestIncident = shallowReadonly(newest)

export const fetchOpen = latest(async () => {
  const page = await read(client.GET('/api/v1/incidents', { params: { query: { state: 'open', limit: OPEN_LIMIT } } }))
  const known = open.value && new Set(open.value.map((one) => one.id))
  const sorted = [...page.items].sort(byUrgency)
  open.value = sorted
  const news = known === null ? [] : sorted.filter((one) => !known.has(one.id))
  const still = new Set(sorted.map((one) => one.id))
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

/** Somebody looked at it. */
export function markSeen(id: string): void {
  if (fresh.value.has(id)) fresh.value = new Set([...fresh.value].filter((one) => one !== id))
}

export function forgetIncidents(): void {
  open.value = closed.value = newest.value = next.value = null
  fresh.value = new Set()
}

function closedPage(cursor?: string): Promise<{ items: Incident[]; next: string | null }> {
  const query = { state: 'closed', limit: CLOSED_PAGE, ...(cursor === undefined ? {} : { cursor }) }
  return read(client.GET('/api/v1/incidents', { params: { query } }))
}
