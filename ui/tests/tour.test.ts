import { describe, expect, it } from 'vitest'
import type { TourStop } from '@/api/types'
import { ageWords, isCalm, outcomeWords, placeOf } from '@/words/tour'

const NOW = Date.parse('2026-11-21T10:00:00Z')
const stop: TourStop = {
  id: 'onvif.roof#south', zone: 'tower', zone_name: { zh: '3号楼', en: '' }, camera: 'onvif.roof', camera_name: { zh: '楼顶球机', en: '' }, preset: '南侧', outcome: 'same', reason: '',
  looked_at: null, found: 0, beyond: 0, picture: '2', pictured_at: '2026-11-21T09:30:00Z', accepted: '1', accepted_at: null, accepted_by: '', candidates: [], ticked_at: null, ticked_by: '',
}
const candidate: TourStop['candidates'][number] = { id: '7', at: null, seen_at: null, box: [0, 0, 1, 1], before: '3', after: '4' }

describe('the words of a stop', () => {
  it('name the preset, or the camera', () => {
    expect(placeOf(stop)).toBe('3号楼 · 南侧')
    expect(placeOf({ ...stop, preset: '' })).toBe('3号楼 · 楼顶球机')
  })

  it('count what is still to be ticked, and are calm when nothing is', () => {
    const differs: TourStop = { ...stop, outcome: 'differs', found: 5, beyond: 2, candidates: [candidate] }
    expect([outcomeWords(differs), isCalm(differs)]).toEqual(['有 3 处不同', false])
    expect([outcomeWords({ ...differs, beyond: 0, candidates: [] }), isCalm({ ...differs, beyond: 0, candidates: [] })]).toEqual(['不同之处都已确认', true])
    expect(isCalm({ ...stop, outcome: 'none' })).toBe(false)
    expect(isCalm({ ...stop, outcome: null })).toBe(false)
  })

  it('call a first picture accepted once somebody has accepted it', () => {
    expect(outcomeWords({ ...stop, outcome: 'first', accepted: null })).toContain('等人认可')
    expect(outcomeWords({ ...stop, outcome: 'first', accepted: '2' })).toContain('已认可')
  })

  it('tell the age in hours and then in days', () => {
    expect(ageWords(stop, NOW)).toBe('1 小时内')
    expect(ageWords({ ...stop, pictured_at: '2026-11-20T09:00:00Z' }, NOW)).toBe('25 小时前')
    expect(ageWords({ ...stop, pictured_at: '2026-11-01T09:00:00Z' }, NOW)).toBe('20 天前')
    expect(ageWords({ ...stop, pictured_at: null }, NOW)).toBe('没有照片')
  })
})
