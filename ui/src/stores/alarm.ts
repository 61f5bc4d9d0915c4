// Tells the people in the room: a short tone and a browser notification. Never a siren, whatever happens at once.
import { computed, reactive, ref, shallowReadonly, shallowRef, watch } from 'vue'
import { say, t } from '@/i18n'
import { freshIncidents, newestIncident, openIncidents } from './incidents'
import { now } from './clock'
import { sound } from './tone'

/** At most one tone within this time. */
export const TONE_EVERY_MS = 10_000
/** A high incident that nobody answers is heard again after this time. */
export const REMIND_MS = 60_000
const STORE_KEY = 'menshen.alarm'

export interface AlarmSettings {
  on: boolean
  /** 0 to 1. */
  volume: number
  /** The browser was asked for notifications, whatever it said: a person is asked once. */
  asked: boolean
}

function remembered(): AlarmSettings {
  const settings: AlarmSettings = { on: true, volume: 0.6, asked: false }
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORE_KEY) ?? '{}')
    return { ...settings, ...(kept as Partial<AlarmSettings>) }
  } catch {
    return settings // storage is refused, or holds something else
  }
}

export const alarm = reactive(remembered())
const muted = shallowRef<ReadonlySet<string>>(new Set())
const permission = ref(typeof Notification === 'undefined' ? 'unsupported' : Notification.permission)
let last = -Infinity

/** `granted`, `denied`, `default`, or `unsupported`. */
export const notifying = shallowReadonly(permission)

const unanswered = computed(() => (openIncidents.value ?? []).filter((one) => one.state === 'open'))
export const unansweredCount = computed(() => unanswered.value.length)
/** How many incidents the silence waits for; 0 when it is not muted. */
export const mutedCount = computed(() => unanswered.value.filter((one) => muted.value.has(one.id)).length)

/** Silence until what is unanswered now has been answered. */
export function mute(): void {
  muted.value = new Set(unanswered.value.map((one) => one.id))
}

export function unmute(): void {
  muted.value = new Set()
}

/** Ring unless it rang just now, is muted or switched off; true when it was heard. */
export function ring(at: number = Date.now()): boolean {
  if (!alarm.on || mutedCount.value > 0 || at - last < TONE_EVERY_MS) return false
  if (!sound(alarm.volume)) return false
  last = at
  return true
}

export async function askToNotify(): Promise<void> {
  if (typeof Notification === 'undefined') return
  permission.value = await Notification.requestPermission()
  alarm.asked = true
}

async function notify(): Promise<void> {
  const one = newestIncident.value
  if (one === null || permission.value !== 'granted' || document.hasFocus()) return
  const others = freshIncidents.value.size - 1
  const body = [say(one.rule_name), others > 0 ? t('desk.alarm.many', { n: others }) : ''].filter(Boolean).join('\n')
  const address = `#/incidents/${one.id}`
  const how = { body, tag: 'menshen', data: { address } } // one tag: a flood replaces itself
  try {
    const worker = await navigator.serviceWorker?.getRegistration()
    if (worker?.active) return await worker.showNotification(say(one.zone_name), how) // pwa/sw.js hears the click
    const shown = new Notification(say(one.zone_name), how)
    shown.onclick = () => {
      window.focus()
      location.hash = address
      shown.close()
    }
  } catch {
    // Chrome on Android shows notifications of service workers only; the tone is still there
  }
}

/** Somebody clicked on a notification: pwa/sw.js says which incident it was about. */
function opened(event: MessageEvent): void {
  const { address } = (event.data ?? {}) as { address?: unknown }
  if (typeof address === 'string' && /^#\/incidents\/\d+$/.test(address)) location.hash = address
}

/** Watch for news until the returned function is called. */
export function startAlarm(): () => void {
  navigator.serviceWorker?.addEventListener('message', opened)
  const stops = [
    watch(newestIncident, (one) => {
      if (one === null) return
      ring()
      void notify()
    }),
    watch(now, () => {
      const forgotten = unanswered.value.some((one) => one.severity === 'high')
      if (forgotten && Date.now() - last >= REMIND_MS) ring()
    }),
    watch(alarm, () => {
      try {
        localStorage.setItem(STORE_KEY, JSON.stringify(alarm))
      } catch {
        // not remembered, still set
      }
    }),
  ]
  return () => {
    navigator.serviceWorker?.removeEventListener('message', opened)
    stops.forEach((stop) => stop())
  }
}
