import { t } from '@/i18n'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A length of time in words, with the two largest units that are not zero. */
export function durationWords(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [d, h, m, s] = [
    Math.floor(whole / DAY), Math.floor((whole % DAY) / HOUR), Math.floor((whole % HOUR) / MINUTE), whole % MINUTE,
  ]
  if (d > 0) return h > 0 ? t('duration.daysHours', { d, h }) : t('duration.days', { d })
  if (h > 0) return m > 0 ? t('duration.hoursMinutes', { h, m }) : t('duration.hours', { h })
  if (m > 0) return s > 0 ? t('duration.minutesSeconds', { m, s }) : t('duration.minutes', { m })
  return t('duration.seconds', { s })
}

/** How long something took, in seconds: hundredths below one (never `0.00`), tenths below ten. */
export function latencyWords(seconds: number): string {
  if (seconds < 0.995) return t('duration.seconds', { s: Math.max(0.01, seconds).toFixed(2) })
  return seconds < 9.95 ? t('duration.seconds', { s: seconds.toFixed(1) }) : durationWords(Math.round(seconds))
}

/** What is left until `due`, as a clock (`2:41`, `1:02:41`); null when nothing is left. Rounded up: `0:00` is never shown. */
export function countdown(due: string, now: number): string | null {
  const left = Math.ceil((Date.parse(due) - now) / 1000)
  if (!(left > 0)) return null
  const [h, m, s] = [Math.floor(left / HOUR), Math.floor((left % HOUR) / MINUTE), left % MINUTE]
  const two = (n: number): string => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** Seconds from `from` to `to`; `to` null is now. Never negative. */
export function secondsBetween(from: string, to: string | null, now: number): number {
  return Math.max(0, ((to === null ? now : Date.parse(to)) - Date.parse(from)) / 1000)
}
