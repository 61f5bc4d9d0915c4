// What charts draw, and which device must be looked at first.
import { describe, expect, it } from 'vitest'
import type { Upkeep } from '@/api/types'
import { trouble } from '@/stores/upkeep'
import { byDay, heights } from '@/words/series'

const well: Upkeep = {
  id: 'a/b', name: 'b', integration: 'a', device: '', state: 'running', reason: '', battery: 80, signal: null, heard: null,
  entities: 1, untrusted: 0, unconfirmed: 0, unheard: 0, alarms: 0, judged: 0, false: 0, noise: null, tickets: 0, clock_ahead: null, clock_wrong: false, sight: null,
}

describe('what a chart draws', () => {
  it('draws two values as 0 and 1, numbers as they are, and a gap where nothing was known', () => {
    const at = '2026-11-21T00:00:00Z'
    const values = ['present', 'absent', 'open', 'clear', 21.5, null] as const
    expect(heights(values.map((value) => ({ at, value }))).map(([, height]) => height)).toEqual([1, 0, 1, 0, 21.5, null])
  })

  it('counts by the days of the site, not of this device', () => {
    const instants = ['2026-11-21T15:59:59Z', '2026-11-21T16:00:00Z', '2026-11-20T16:00:00Z']
    expect(byDay(instants, 'Asia/Shanghai')).toEqual([['2026-11-21', 2], ['2026-11-22', 1]])
    expect(byDay(instants, 'UTC')).toEqual([['2026-11-20', 1], ['2026-11-21', 2]])
  })
})

describe('trouble with a device', () => {
  it('puts what does not work before what is silent, empty or noisy', () => {
    const worst = [{ ...well, state: 'failed' }, { ...well, untrusted: 1 }, { ...well, battery: 5 }, { ...well, noise: 0.5 }, well]
    const marks = worst.map(trouble)
    expect(marks).toEqual([...marks].sort((one, other) => other - one))
    expect(new Set(marks).size).toBe(5)
  })
})
