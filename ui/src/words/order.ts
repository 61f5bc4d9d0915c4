import type { Incident, Severity, Zone, ZoneStatus } from '@/api/types'

const SEVERITY: Record<Severity, number> = { high: 0, medium: 1, low: 2 }
const STATUS: Record<ZoneStatus, number> = { alarm: 0, blind: 1, pending: 2, calm: 3 }

/** Unanswered for so long, an incident climbs above the newer ones of its severity. */
export const OVERDUE_MS = 120_000
/** Within a severity: what nobody answers, what is new, what somebody knows, what is being handled. */
const TURN = { overdue: 0, fresh: 1, known: 2, handled: 3 } as const

function turn(one: Incident, waited: number): number {
  if (one.state === 'acknowledged') return TURN.known
  if (one.state !== 'open') return TURN.handled
  return waited >= OVERDUE_MS ? TURN.overdue : TURN.fresh
}

/**
 * Most urgent first at `now` (milliseconds): by severity, then the unanswered ones. Of those that wait too long the longest
 * comes first, before the new ones, of which the newest comes first; then what somebody has in hand, oldest first.
 */
export function mostUrgentFirst(incidents: readonly Incident[], now: number): Incident[] {
  const ranked = incidents.map((one) => {
    const opened = Date.parse(one.opened_at)
    const place = turn(one, now - opened)
    return { one, severity: SEVERITY[one.severity], place, age: place === TURN.fresh ? -opened : opened }
  })
  ranked.sort((a, b) => a.severity - b.severity || a.place - b.place || a.age - b.age || compareId(a.one, b.one))
  return ranked.map(({ one }) => one)
}

/** Newest first, by when it was closed. */
export function byClosing(a: Incident, b: Incident): number {
  return Date.parse(b.closed_at ?? b.opened_at) - Date.parse(a.closed_at ?? a.opened_at) || compareId(a, b)
}

/** Zones that need a look first; otherwise as the hub lists them. */
export function byStatus(a: Zone, b: Zone): number {
  return STATUS[a.status] - STATUS[b.status]
}

function compareId(a: Incident, b: Incident): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
