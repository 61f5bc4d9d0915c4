// What a chart draws: numbers over time, or counts by the site's own days.
import { fullTime } from './time'

export interface Point {
  at: string
  value: string | number | null
}

/** What a two-valued sensor says when something is there: drawn as 1. */
const ACTIVE = new Set(['present', 'open', 'active'])

/** `[milliseconds, height]`; null breaks the line where nothing was known. */
export function heights(points: readonly Point[]): [number, number | null][] {
  return points.map(({ at, value }) => [Date.parse(at), value === null ? null : typeof value === 'number' ? value : ACTIVE.has(value) ? 1 : 0])
}

/** How many fall on each day on the clock of the site, the first day first. */
export function byDay(instants: readonly string[], timezone: string): [string, number][] {
  const counts = new Map<string, number>()
  for (const instant of instants) {
    const day = fullTime(instant, timezone).slice(0, 10)
    counts.set(day, (counts.get(day) ?? 0) + 1)
  }
  return [...counts].sort(([one], [other]) => one.localeCompare(other))
}
