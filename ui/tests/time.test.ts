import { describe, expect, it } from 'vitest'
import { setLanguage } from '@/i18n'
import { countdown, durationWords, latencyWords, secondsBetween } from '@/words/duration'
import { clockTime, fullTime, instantOf, shortTime } from '@/words/time'
import { T0 } from './samples'

const now = Date.parse(T0)

describe('duration', () => {
  it.each([
    [0, '0 秒', '0 s'], [59.9, '59 秒', '59 s'], [60, '1 分钟', '1 min'], [192, '3 分 12 秒', '3 min 12 s'], [3600, '1 小时', '1 h'],
    [3900, '1 小时 5 分', '1 h 5 min'], [86_400, '1 天', '1 d'], [97_200, '1 天 3 小时', '1 d 3 h'], [-5, '0 秒', '0 s'],
  ])('%d s', (seconds, zh, en) => {
    expect(durationWords(seconds)).toBe(zh)
    setLanguage('en')
    expect(durationWords(seconds)).toBe(en)
  })

  it('counts from opening to closing, or to now', () => {
    expect(secondsBetween(T0, null, now + 5_000)).toBe(5)
    expect(secondsBetween(T0, '2026-11-20T06:07:07Z', now)).toBe(60)
    expect(secondsBetween(T0, null, now - 5_000)).toBe(0)
  })

  it('says a latency as exactly as it matters', () => {
    expect([-3, 0.0043, 0.1204, 0.999, 6.51, 9.96, 12.3].map(latencyWords)).toEqual(
      ['0.01 秒', '0.01 秒', '0.12 秒', '1.0 秒', '6.5 秒', '10 秒', '12 秒'])
  })
})

describe('countdown', () => {
  it.each([[161_000, '2:41'], [160_001, '2:41'], [60_000, '1:00'], [900, '0:01'], [3_761_000, '1:02:41'], [0, null], [-1, null]])(
    '%d ms left', (left, shown) => {
      expect(countdown(new Date(now + left).toISOString(), now)).toBe(shown)
    })

  it('shows nothing for a time it cannot read', () => {
    expect(countdown('', now)).toBeNull()
  })
})

describe('time', () => {
  it('is on the clock of the site', () => {
    expect(clockTime(T0, 'Asia/Shanghai')).toBe('14:06:07')
    expect(clockTime(T0, 'Asia/Urumqi')).toBe('12:06:07')
    expect(fullTime(T0, 'Asia/Shanghai')).toBe('2026-11-20 14:06:07')
    expect(clockTime('2026-11-20T16:00:00Z', 'Asia/Shanghai')).toBe('00:00:00')
  })

  it('names the day when it is not today at the site', () => {
    const lateEvening = '2026-11-20T15:30:00Z' // 23:30 in Shanghai, while now is 00:10 of the next day there
    expect(shortTime(lateEvening, 'Asia/Shanghai', Date.parse('2026-11-20T15:40:00Z'))).toBe('23:30:00')
    expect(shortTime(lateEvening, 'Asia/Shanghai', Date.parse('2026-11-20T16:10:00Z'))).toBe('11-20 23:30:00')
    expect(shortTime(lateEvening, 'Asia/Shanghai', Date.parse('2027-01-02T00:00:00Z'))).toBe('2026-11-20 23:30:00')
  })

  it('survives a timezone that the browser does not know', () => {
    expect(clockTime(T0, 'Mars/Olympus')).toMatch(/^\d\d:\d\d:\d\d$/)
  })
})

describe('a time on the clocks of the site', () => {
  it.each([
    ['2026-11-20T14:03', 'Asia/Shanghai', '2026-11-20T06:03:00.000Z'],
    ['2026-03-29T01:30', 'Europe/Berlin', '2026-03-29T00:30:00.000Z'],
    ['2026-03-29T03:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
    ['2026-10-25T03:30', 'Europe/Berlin', '2026-10-25T02:30:00.000Z'],
    ['2026-11-20T14:03', 'America/New_York', '2026-11-20T19:03:00.000Z'],
  ])('%s in %s', (local, zone, instant) => expect(instantOf(local, zone)).toBe(instant))

  it('is nothing where nothing was typed', () => expect(instantOf('', 'Asia/Shanghai')).toBeNull())
})
