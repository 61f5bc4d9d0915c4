import type { Incident, Severity, Zone, ZoneStatus } from '@/api/types'

const SEVERITY: Record<Severity, number> = { high: 0, medium: 1, low: 2 }
const STATUS: Record<ZoneStatus, number> = { alarm: 0, blind: 1, pending: 2, calm: 3 }

/** Most urgent first: severity, then newest. */
export function byUrgency(a: Incident, b: Incident): number {
  return SEVERITY[a.severity] - SEVERITY[b.severity] || Date.parse(b.opened_at) - Date.parse(a.opened_at) || compareId(a, b)
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
