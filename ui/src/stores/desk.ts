// Joins the live connection with the stores: what changed is fetched again. After a gap that is everything: the hub answers
// each subscription with all of its topics, so nothing that happens around the fetch is missed.
import { shallowReadonly, ref, shallowRef } from 'vue'
import { ApiError } from '@/api/client'
import { hubSocket, Live, type LiveStatus } from '@/api/live'
import type { Topic } from '@/api/types'
import { now } from './clock'
import { fetchClosed, fetchOpen, forgetIncidents } from './incidents'
import { restoreSession } from './session'
import { fetchSite } from './site'
import { lookForNewerPage } from './version'
import { fetchSomeZones, fetchZones } from './zones'

/**
 * A connection may die without a word (Wi-Fi, a sleeping phone) or be refused by a proxy: the page also asks by itself.
 * Each question counts as use, so the session of an open page does not run out: a desk is watched through the night, untouched.
 * A forgotten page therefore stays signed in until somebody signs out there, its token is replaced, or the hub restarts.
 */
const CHECK_MS = 30_000

const status = ref<LiveStatus>('connecting')
const failure = shallowRef<unknown>(null)
const round = ref(0)
const fresh = ref<number | null>(null)
const offline = ref(false)

export const liveStatus = shallowReadonly(status)
/** The last fetch failed with this; null when it went well. */
export const fetchFailure = shallowReadonly(failure)
/** Milliseconds since 1970 when everything was fetched last; null before the first time. */
export const freshAt = shallowReadonly(fresh)
/** The browser says that its own machine has no network. */
export const isOffline = shallowReadonly(offline)
/** Rises whenever incidents may have changed; the detail page watches it. */
export const incidentRound = shallowReadonly(round)

/** How to fetch a topic: the things named, or all where none is. */
const FETCH: Record<Topic, (ids: ReadonlySet<string>) => Promise<unknown>> = {
  site: fetchSite,
  zones: (ids) => (ids.size ? fetchSomeZones(ids) : fetchZones()),
  incidents: () => {
    round.value += 1
    return Promise.all([fetchOpen(), fetchClosed()])
  },
}
const TOPICS = Object.keys(FETCH) as Topic[]

const EVERYTHING: ReadonlyMap<Topic, ReadonlySet<string>> = new Map(TOPICS.map((topic) => [topic, new Set<string>()]))

async function fetchTopics(wanted: ReadonlyMap<Topic, ReadonlySet<string>>): Promise<void> {
  try {
    await Promise.all([...wanted].map(([topic, ids]) => FETCH[topic](ids)))
    failure.value = null
    if (wanted === EVERYTHING) fresh.value = now.value
  } catch (error) {
    if (error instanceof ApiError && error.unreachable) live.drop()
    failure.value = error
  }
}

const live = new Live({
  connect: hubSocket,
  topics: TOPICS,
  onStatus: (next) => (status.value = next),
  onOpen: () => void lookForNewerPage(), // the hub may have been updated meanwhile
  onChange: (changed) => void fetchTopics(changed),
  onLost: () => void restoreSession(),
})

let check: ReturnType<typeof setInterval> | undefined

function wake(): void {
  offline.value = !navigator.onLine
  if (document.visibilityState === 'hidden') return
  live.retryNow()
  if (status.value !== 'open') return
  void fetchTopics(EVERYTHING)
  void lookForNewerPage()
}

/** Fetch everything again, now. */
export const refresh = (): Promise<void> => fetchTopics(EVERYTHING)

export function startDesk(): void {
  failure.value = null
  live.start()
  void fetchTopics(EVERYTHING)
  check = setInterval(() => void fetchTopics(EVERYTHING), CHECK_MS)
  document.addEventListener('visibilitychange', wake)
  window.addEventListener('online', wake)
  window.addEventListener('offline', wake)
}

export function stopDesk(): void {
  live.stop()
  clearInterval(check)
  document.removeEventListener('visibilitychange', wake)
  window.removeEventListener('online', wake)
  window.removeEventListener('offline', wake)
  forgetIncidents()
}
