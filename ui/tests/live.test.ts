import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GATHER_MS, Live, type LiveStatus, type Socket } from '@/api/live'

class FakeSocket implements Socket {
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: (() => void) | null = null
  sent: string[] = []
  closed = false
  send(text: string): void {
    this.sent.push(text)
  }
  close(): void {
    this.closed = true
  }
  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) })
  }
}

let sockets: FakeSocket[]
let statuses: LiveStatus[]
let live: Live
const onOpen = vi.fn()
const onChange = vi.fn()
const onLost = vi.fn()

const last = (): FakeSocket => sockets.at(-1) as FakeSocket

beforeEach(() => {
  vi.useFakeTimers()
  vi.resetAllMocks()
  sockets = []
  statuses = []
  live = new Live({
    connect: () => {
      sockets.push(new FakeSocket())
      return last()
    },
    topics: ['incidents', 'zones', 'site'],
    onStatus: (status) => statuses.push(status),
    onOpen, onChange, onLost,
  })
  live.start()
})

afterEach(() => {
  live.stop()
  expect(vi.getTimerCount()).toBe(0) // nothing may stay behind a stopped connection
  vi.useRealTimers()
})

describe('live', () => {
  it('subscribes and fetches everything when it opens', () => {
    last().onopen?.()
    expect(last().sent).toEqual(['{"subscribe":["incidents","zones","site"]}'])
    expect(onOpen).toHaveBeenCalledOnce()
    expect(statuses).toEqual(['connecting', 'open'])
  })

  it('comes back with growing pauses of 1 to 10 s, and says so', () => {
    const pauses: number[] = []
    for (let i = 0; i < 6; i++) {
      const before = sockets.length
      last().onclose?.()
      expect(statuses.at(-1)).toBe('lost')
      const began = Date.now()
      vi.advanceTimersToNextTimer()
      expect(sockets.length).toBe(before + 1)
      pauses.push(Date.now() - began)
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
    expect(onLost).toHaveBeenCalledTimes(6)
  })

  it('fetches again after it came back, and starts over with short pauses', () => {
    last().onclose?.()
    vi.advanceTimersByTime(1_000)
    last().onclose?.()
    vi.advanceTimersByTime(2_000)
    last().onopen?.()
    expect(onOpen).toHaveBeenCalledOnce()
    expect(statuses.at(-1)).toBe('open')
    last().onclose?.()
    vi.advanceTimersByTime(999)
    expect(sockets.length).toBe(3)
    vi.advanceTimersByTime(1)
    expect(sockets.length).toBe(4)
  })

  it('makes one fetch of many messages, and does not wait for ever in a flood', () => {
    last().onopen?.()
    last().say({ topic: 'incidents', id: 'a' })
    vi.advanceTimersByTime(GATHER_MS - 1)
    last().say({ topic: 'zones', id: null })
    last().say({ topic: 'incidents', id: 'b' })
    expect(onChange).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(onChange).toHaveBeenCalledOnce()
    expect(onChange).toHaveBeenCalledWith(new Map([['incidents', new Set(['a', 'b'])], ['zones', new Set()]]))
    last().say({ topic: 'site', id: null })
    vi.advanceTimersByTime(GATHER_MS)
    expect(onChange).toHaveBeenLastCalledWith(new Map([['site', new Set()]]))
  })

  it('is not disturbed by messages it does not understand', () => {
    last().onopen?.()
    for (const message of ['not json', '7', 'null', '{"topic":"weather"}', '{}']) last().say(message)
    vi.advanceTimersByTime(1_000)
    expect(onChange).not.toHaveBeenCalled()
  })

  it('tries at once when asked, with one connection only', () => {
    last().onclose?.()
    live.retryNow()
    live.retryNow()
    expect(sockets.length).toBe(2)
    vi.advanceTimersByTime(60_000)
    expect(sockets.length).toBe(2)
  })

  it('gives up a connection that no longer answers', () => {
    const dead = last()
    dead.onopen?.()
    live.drop()
    expect(dead.closed).toBe(true)
    expect(dead.onclose).toBeNull() // its late close must not count a second time
    expect(statuses.at(-1)).toBe('lost')
    vi.advanceTimersByTime(1_000)
    expect(sockets.length).toBe(2)
  })

  it('stays quiet once stopped', () => {
    last().onopen?.()
    last().say({ topic: 'zones', id: null })
    live.stop()
    vi.advanceTimersByTime(60_000)
    expect(onChange).not.toHaveBeenCalled()
    expect(sockets.length).toBe(1)
  })
})
