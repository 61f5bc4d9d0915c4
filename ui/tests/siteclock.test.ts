import { describe, expect, it } from 'vitest'
import { siteClock, siteInstant } from '@/words/time'

describe('the clock of the site', () => {
  it('is read as the site shows it, whatever the clock of the PC says', () => {
    expect(siteInstant('2026-11-20T14:03', 'Asia/Shanghai')).toBe('2026-11-20T06:03:00.000Z')
    expect(siteInstant('2026-07-01T00:30', 'Europe/Berlin')).toBe('2026-06-30T22:30:00.000Z')
    expect(siteInstant('2026-03-29T03:30', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z')
  })

  it('is shown as an input takes it, and back again', () => {
    const shown = siteClock(Date.parse('2026-11-20T06:03:59Z'), 'Asia/Shanghai')
    expect(shown).toBe('2026-11-20T14:03')
    expect(siteInstant(shown, 'Asia/Shanghai')).toBe('2026-11-20T06:03:00.000Z')
  })

  it('is empty for what is no time', () => {
    expect(siteInstant('', 'Asia/Shanghai')).toBe('')
    expect(siteInstant('soon', 'Asia/Shanghai')).toBe('')
  })
})
