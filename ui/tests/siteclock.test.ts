import { describe, expect, it } from 'vitest'
import { siteClock, instantOf } from '@/words/time'

describe('the clock of the site', () => {
  it('is read as the site shows it, whatever the clock of the PC says', () => {
    expect(instantOf('2026-11-20T14:03', 'Asia/Shanghai')).toBe('2026-11-20T06:03:00.000Z')
    expect(instantOf('2026-07-01T00:30', 'Europe/Berlin')).toBe('2026-06-30T22:30:00.000Z')
    expect(instantOf('2026-03-29T03:30', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z')
  })

  it('is shown as an input takes it, and back again', () => {
    const shown = siteClock(Date.parse('2026-11-20T06:03:59Z'), 'Asia/Shanghai')
    expect(shown).toBe('2026-11-20T14:03')
    expect(instantOf(shown, 'Asia/Shanghai')).toBe('2026-11-20T06:03:00.000Z')
  })

  it('is none for what is no time', () => {
    expect(instantOf('', 'Asia/Shanghai')).toBeNull()
    expect(instantOf('soon', 'Asia/Shanghai')).toBeNull()
  })
})
