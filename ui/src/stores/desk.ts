// Joins the live connection with the stores: what changed is fetched again, and everything after a gap.
import { shallowReadonly, ref, shallowRef } from 'vue'
import { ApiError } from '@/api/client'
import { hubSocket, Live, type LiveStatus } from '@/api/live'
import type { Topic } from '@/api/types'
import { fetchClosed, fetchOpen, forgetIncidents } from './incidents'
import { restoreSession } from './session'
import { fetchSite } from './site'
import { fetchZones } from './zones'

/**
 * A connection may die without a word (Wi-Fi, a sleeping phone) or be refused by a proxy: the page also asks by itself.
 * Each question counts as use, so the session of an open page does not run out: a desk is watched through the night, untouched.
 * A forgotten page therefore stays signed in until somebody signs out there, its token is replaced, or the hub restarts.
 */
const CHECK_MS = 30_000

const status = ref<LiveStatus>('connecting')
const failure = shallowRef<unknown>(null)
const round = ref(0)

export const liveStatus = shallowReadonly(status)
/** The last fetch failed with this; null when it went well. */
export const fetchFailure = shallowReadonly(failure)
/** Rises whenever incidents may have changed; the detail page watches it. */
export const incidentRound = shallowReadonly(round)

const FETCH: Record<Topic, () => Promise<unknown>> = {
  site: fetchSite,
  zones: fetchZones,
  incidents: () => {
    round.value += 1
    return Promise.all([fetchOpen(), fetchClosed()])
  },
}
const TOPICS = Object.keys(FETCH) as Topic[]

async function fetchTopics(topics: Iterable<Topic>): Promise<void> {
  try {
    await Promise.all([...topics].map((topic) => FETCH[topic]()))
    failure.value = null
  } catch (error) {
    if (error instanceof ApiError && error.unreachable) live.drop()
    failure.value = error
  }
}

const live = new Live({
  connect: hubSocket,
  topics: TOPICS,
  onStatus: (next) => (status.value = next),
  onOpen: () => void fetchTopics(TOPICS),
  onChange: (topics) => void fetchTopics(topics),
  onLost: () => void restoreSession(),
})

let check: ReturnType<typeof setInterval> | undefined

function wake(): void {
  if (document.visibilityState === 'hidden') return
  live.retryNow()
  if (status.value === 'open') void fetchTopics(TOPICS)
}

/** Fetch everything again, now. */
export const refresh = (): Promise<void> => fetchTopics(TOPICS)

export function startDesk(): void {
  failure.value = null
  live.start()
  void fetchTopics(TOPICS)
  check = setInterval(() => void fetchTopics(TOPICS), CHECK_MS)
  document.addEventListener('visibilitychange', wake)
  window.addEventListener('online', wake)
}

export function stopDesk(): void {
  live.stop()
  clearInterval(check)
  document.removeEventListener('visibilitychange', wake)
  window.removeEventListener('online', wake)
  forgetIncidents()
}
