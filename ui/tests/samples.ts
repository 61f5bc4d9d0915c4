// Things in the API's shapes, with only what a test is about spelled out.
import type { CommandStep, Evidence, Incident, Role, Step, Witness, Zone } from '@/api/types'

export const T0 = '2026-11-20T06:06:07Z' // 14:06:07 in Shanghai

export function incident(more: Partial<Incident> = {}): Incident {
  return {
    id: 'i1', rule: 'fire_lane_blocked', rule_name: { zh: '消防通道占用', en: 'Fire lane blocked' }, zone: 'lane-3',
    zone_name: { zh: '3号楼北侧消防车道', en: 'Lane 3' }, state: 'open', severity: 'high', opened_at: T0, closed_at: null,
    close_reason: null, timeline: [], evidence: [], where: [], answered_at: null, handler: '', verdict: null, note: '',
    sees: true, speaks: true, ...more,
  }
}

export function command(more: Partial<CommandStep> & Pick<CommandStep, 'action'>): CommandStep {
  return {
    kind: 'command', at: T0, status: 'done', text: null, contact: null, done_at: T0, latency_ms: null, seconds: null, attempts: 1,
    failure: null, reason: '', repeated: false, evidence: null, by: '', person: '', ...more,
  }
}

export function evidence(more: Partial<Evidence> = {}): Evidence {
  return {
    id: 'e1', incident: 'i1', media_type: 'image/jpeg', sha256: 'ab'.repeat(32), size: 1, at: T0, url: '/api/v1/evidence/e1', ...more,
  }
}

const MAGNET = { entity: 'geomag.lane_3', entity_name: { zh: 'lane_3 · 车辆', en: 'lane_3 · Vehicle' } }

export const sensed = (value: string, role: Role | null = 'vehicle'): Step => ({ kind: 'sensed', at: T0, ...MAGNET, role, value })

/** A condition without a source, such as a mode. */
export function witness(more: Partial<Witness> = {}): Witness {
  return {
    holds: true, negated: false, role: null, wanted: null, mode: null, detail: '', entity: null, entity_name: null, value: null, since: null, ...more,
  }
}

export function saw(role: Role, wanted: string, value: string): Witness {
  return witness({ ...MAGNET, role, wanted, value, since: T0 })
}

export function zone(more: Partial<Zone> = {}): Zone {
  return { id: 'z', kind: 'fire_lane', name: { zh: '防区', en: 'Zone' }, area: null, status: 'calm', entities: [], rules: [], ...more }
}
