// The sound: once, not again for ten seconds, not while muted, and again when nobody answers.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import type { Incident } from '@/api/types'
import { alarm, askToNotify, mute, mutedCount, REMIND_MS, ring, startAlarm, TONE_EVERY_MS, unmute } from '@/stores/alarm'
import { fetchOpen, forgetIncidents } from '@/stores/incidents'
import { listenForTouch } from '@/stores/tone'
import { pruned, clockOf, freeId, minutesOf } from '@/words/roster'
import { incident } from './samples'

let incidents: Incident[] = []
let begun: number
let stop: () => void
/** Each test begins long after the last one's tone. */
let began = Date.parse('2026-11-20T06:00:00Z')

/** What the page uses of the browser's sound; counts oscillators, two of which are one tone. */
class Sound {
  state = 'running'
  currentTime = 0
  destination = {}
  createOscillator(): unknown {
    begun += 1
    return { frequency: {}, connect: (next: unknown) => next, start() {}, stop() {} }
  }
  createGain(): unknown {
    return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: (next: unknown) => next }
  }
}

vi.stubGlobal('AudioContext', Sound)
listenForTouch()

const tones = (): number => begun / 2

async function arrives(...more: Incident[]): Promise<void> {
  incidents = [...incidents, ...more]
  await fetchOpen()
  await nextTick()
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval'], now: (began += 10 * REMIND_MS) })
  vi.stubGlobal('fetch', async (request: Request) => {
    const open = new URL(request.url).searchParams.get('state') === 'open'
    return new Response(JSON.stringify({ items: open ? incidents : [], next: null }))
  })
  vi.stubGlobal('AudioContext', Sound)
  document.dispatchEvent(new Event('pointerdown'))
  alarm.on = true
  incidents = []
  await fetchOpen()
  begun = 0
  stop = startAlarm()
})

afterEach(() => {
  stop()
  unmute()
  forgetIncidents()
  vi.useRealTimers()
})

describe('alarm', () => {
  it('sounds once for five hundred', async () => {
    for (let wave = 0; wave < 5; wave += 1) {
      await arrives(...Array.from({ length: 100 }, (_, n) => incident({ id: `${wave}-${n}` })))
    }
    expect(tones()).toBe(1)
    vi.setSystemTime(Date.now() + TONE_EVERY_MS)
    await arrives(incident({ id: 'later' }))
    expect(tones()).toBe(2)
  })

  it('is silent until what was muted is answered', async () => {
    await arrives(incident({ id: 'a' }))
    mute()
    expect(mutedCount.value).toBe(1)
    vi.setSystemTime(Date.now() + TONE_EVERY_MS)
    await arrives(incident({ id: 'b' }))
    expect(tones()).toBe(1)
    incidents = [incident({ id: 'a', state: 'acknowledged' }), incidents[1]!]
    await fetchOpen()
    expect(mutedCount.value).toBe(0)
    expect(ring()).toBe(true)
  })

  it('notifies once permitted, under one tag, and only while nobody looks', async () => {
    const shown: [string, NotificationOptions][] = []
    vi.stubGlobal('Notification', class {
      static permission = 'default'
      static requestPermission = async (): Promise<string> => 'granted'
      close(): void {}
      constructor(title: string, options: NotificationOptions) {
        shown.push([title, options])
      }
    })
    const focus = vi.spyOn(document, 'hasFocus').mockReturnValue(false)
    await arrives(incident({ id: 'a' }))
    expect(shown).toEqual([])
    await askToNotify()
    expect(alarm.asked).toBe(true)
    await arrives(incident({ id: 'b' }))
    expect(shown).toEqual([['3号楼北侧消防车道', { body: '消防通道占用\n还有 1 条新事件', tag: 'menshen', data: { address: '#/incidents/b' } }]])
    focus.mockReturnValue(true)
    await arrives(incident({ id: 'c' }))
    expect(shown).toHaveLength(1)
  })

  it('is silent when switched off', async () => {
    alarm.on = false
    await arrives(incident({ id: 'a' }))
    expect(tones()).toBe(0)
  })
})

describe('roster', () => {
  it('reads and writes clocks', () => {
    expect([clockOf(0), clockOf(510), clockOf(1440)]).toEqual(['00:00', '08:30', '00:00'])
    const typed = ['08:30', '8\uff1a30', '2030', '24:00', '', '8', '24:01', '08:60', 'x']
    expect(typed.map(minutesOf)).toEqual([510, 510, 1230, 0, null, null, null, null, null])
  })

  it('refers to nobody who was taken out', () => {
    const wang = { id: 'p1', name: '王', phone: '', contact: '' }
    const shift = { role: 'guard', days: [], begin: 0, end: 0, people: ['p1', 'p2'], holidays: 'as_usual' as const }
    const away = { person: 'p1', first: '2026-01-01', last: '2026-01-02', stand_in: 'p2' }
    expect(freeId([wang])).toBe('p2')
    expect(pruned({
      people: [wang], shifts: [shift, { ...shift, people: ['p2'] }], absences: [away, { ...away, person: 'p2' }],
    })).toEqual({ people: [wang], shifts: [{ ...shift, people: ['p1'] }], absences: [{ ...away, stand_in: null }] })
  })
})
