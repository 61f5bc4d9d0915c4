import { describe, expect, it } from 'vitest'
import type { Incident, Severity, Zone } from '@/api/types'
import { byClosing, byStatus, mostUrgentFirst, OVERDUE_MS } from '@/words/order'
import { pictures } from '@/words/pictures'
import { command, evidence, incident, zone } from './samples'

const at = (minute: number): string => `2026-11-20T06:${String(minute).padStart(2, '0')}:00Z`
const make = (id: string, severity: Severity, minute: number): Incident => incident({ id, severity, opened_at: at(minute) })
const ids = (items: { id: string }[]): string[] => items.map((one) => one.id)

describe('order', () => {
  const now = Date.parse(at(30))

  it('puts the most urgent first, then the newest', () => {
    const list = [make('low-new', 'low', 30), make('high-old', 'high', 29), make('medium', 'medium', 30), make('high-new', 'high', 30)]
    expect(ids(mostUrgentFirst(list, now))).toEqual(['high-new', 'high-old', 'medium', 'low-new'])
  })

  it('lets what nobody answers climb by itself, the longest waiting first', () => {
    const list = [make('new', 'high', 30), make('waits', 'high', 29), make('waits-longer', 'high', 28)]
    expect(ids(mostUrgentFirst(list, now))).toEqual(['waits-longer', 'new', 'waits'])
    expect(ids(mostUrgentFirst(list, now + OVERDUE_MS))).toEqual(['waits-longer', 'waits', 'new'])
  })

  it('puts what somebody has in hand behind what nobody answers, but not behind lesser things', () => {
    const list = [
      incident({ id: 'handled', state: 'in_progress', opened_at: at(1) }), incident({ id: 'known', state: 'acknowledged', opened_at: at(2) }),
      make('new', 'high', 30), make('medium', 'medium', 1),
    ]
    expect(ids(mostUrgentFirst(list, now))).toEqual(['new', 'known', 'handled', 'medium'])
  })

  it('compares instants, not their spelling', () => {
    const early = incident({ id: 'early', opened_at: '2026-11-20T06:30:00Z' })
    const late = incident({ id: 'late', opened_at: '2026-11-20T06:30:00.500Z' })
    expect(ids(mostUrgentFirst([early, late], now))).toEqual(['late', 'early'])
  })

  it('does not depend on the order it was given for equals', () => {
    const [a, b] = [make('a', 'high', 1), make('b', 'high', 1)]
    expect(ids(mostUrgentFirst([b, a], now))).toEqual(ids(mostUrgentFirst([a, b], now)))
  })

  it('puts the last closed first', () => {
    const first = incident({ id: 'first', opened_at: at(5), closed_at: at(6) })
    const last = incident({ id: 'last', opened_at: at(1), closed_at: at(9) })
    expect(ids([first, last].sort(byClosing))).toEqual(['last', 'first'])
  })

  it('puts zones that need a look first and keeps the order of the hub otherwise', () => {
    const statuses: Zone['status'][] = ['calm', 'pending', 'calm', 'blind', 'alarm']
    const zones = statuses.map((status, index) => zone({ id: `${status}${index}`, status }))
    expect(ids(zones.sort(byStatus))).toEqual(['alarm4', 'blind3', 'pending1', 'calm0', 'calm2'])
  })
})

describe('pictures', () => {
  it('tells the opening from the closing by the command that asked for it', () => {
    const shots = pictures(incident({
      timeline: [
        command({ action: 'capture', at: at(1), evidence: 'a' }),
        { kind: 'cleared', at: at(4), reason: 'cleared' },
        command({ action: 'capture', at: at(4), evidence: 'b' }),
      ],
      evidence: [
        evidence({ id: 'b', at: at(5) }), evidence({ id: 's', at: at(2), media_type: 'audio/wav' }), evidence({ id: 'a', at: at(4) }),
      ],
    }))
    expect(shots.map((one) => [one.number, one.evidence.id, one.moment])).toEqual([[1, 'a', 'opening'], [2, 'b', 'closing']])
  })
})
