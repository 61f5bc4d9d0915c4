// Periods back and forth over month ends and New Year.
import { describe, expect, it } from 'vitest'
import { as, shifted } from '@/words/period'

describe('a period', () => {
  it.each([
    ['month', '2026-12', 1, '2027-01'],
    ['month', '2026-01', -1, '2025-12'],
    ['day', '2028-02-28', 1, '2028-02-29'],
    ['day', '2026-03-01', -1, '2026-02-28'],
    ['week', '2026-W53', 1, '2027-W01'],
    ['week', '2026-W01', -1, '2025-W52'],
    ['week', '2026-W09', 1, '2026-W10'],
  ] as const)('%s %s moved by %i', (span, at, by, expected) => {
    expect(shifted(span, at, by)).toBe(expected)
  })

  it('is found for a day', () => {
    expect(as('week', '2027-01-03')).toBe('2026-W53')
    expect(as('week', '2026-11-21')).toBe('2026-W47')
    expect(as('month', '2026-11-21')).toBe('2026-11')
  })
})
