// The WebSocket that says what to fetch again. It reconnects for ever, and calls `onOpen` each time so that nothing is missed.
import type { Changed, Subscribe, Topic } from './types'

export type LiveStatus = 'connecting' | 'open' | 'lost'

const FIRST_DELAY_MS = 1_000
const LAST_DELAY_MS = 10_000
/** Messages within this time lead to one fetch. */
export const GATHER_MS = 100

/** What Live needs of a WebSocket. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: (() => void) | null
  send(text: string): void
  close(): void
}

export interface LiveOptions {
  connect: () => Socket
  topics: Topic[]
  onStatus: (status: LiveStatus) => void
  /** The connection stands: fetch everything. */
  onOpen: () => void
  /** These topics changed: the things named, or all of a topic where it has no names. */
  onChange: (changed: ReadonlyMap<Topic, ReadonlySet<string>>) => void
  /** An attempt ended; the session may be over. */
  onLost: () => void
}

export class Live {
  private socket: Socket | null = null
  private retry: ReturnType<typeof setTimeout> | undefined
  private flush: ReturnType<typeof setTimeout> | undefined
  private delay = FIRST_DELAY_MS
  private changed = new Map<Topic, Set<string>>()

  constructor(private readonly options: LiveOptions) {}

  start(): void {
    this.options.onStatus('connecting')
    this.connect()
  }

  stop(): void {
    clearTimeout(this.retry)
    clearTimeout(this.flush)
    this.flush = undefined
    this.changed.clear()
    this.detach()?.close()
  }

  /** Try at once: the page came back to the foreground, or the network did. */
  retryNow(): void {
    if (this.socket !== null) return
    clearTimeout(this.retry)
    this.connect()
  }

  /** Give up a connection that looks open but does not answer. */
  drop(): void {
    const socket = this.detach()
    if (socket === null) return
    socket.close()
    this.lost()
  }

  private connect(): void {
    const socket = this.options.connect()
    this.socket = socket
    socket.onopen = () => {
      this.delay = FIRST_DELAY_MS
      const hello: Subscribe = { subscribe: this.options.topics }
      socket.send(JSON.stringify(hello))
      this.options.onStatus('open')
      this.options.onOpen()
    }
    socket.onmessage = (event) => this.hear(event.data)
    socket.onclose = () => {
      this.detach()
      this.lost()
    }
  }

  private detach(): Socket | null {
    const socket = this.socket
    if (socket !== null) socket.onopen = socket.onmessage = socket.onclose = null
    this.socket = null
    return socket
  }

  private lost(): void {
    this.options.onStatus('lost')
    this.retry = setTimeout(() => this.connect(), this.delay)
    this.delay = Math.min(this.delay * 2, LAST_DELAY_MS)
    this.options.onLost()
  }

  private hear(data: unknown): void {
    const changed = parse(data)
    if (changed === null || !this.options.topics.includes(changed.topic)) return
    const { topic, id } = changed
    const named = this.changed.get(topic)
    if (!id) this.changed.set(topic, new Set())
    else if (named === undefined) this.changed.set(topic, new Set([id]))
    else if (named.size) named.add(id) // no names mean all of them, and stay so
    // The window runs from the first message and is not extended, so a flood cannot put the fetch off for ever.
    this.flush ??= setTimeout(() => {
      const told = this.changed
      this.flush = undefined
      this.changed = new Map()
      this.options.onChange(told)
    }, GATHER_MS)
  }
}

function parse(data: unknown): Pick<Changed, 'topic' | 'id'> | null {
  try {
    const message: unknown = JSON.parse(String(data))
    return typeof message === 'object' && message !== null && 'topic' in message ? (message as Changed) : null
  } catch {
    return null
  }
}

/** The hub's WebSocket, on the page's own origin. */
export function hubSocket(): Socket {
  const url = new URL('/api/v1/ws', location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return new WebSocket(url) as unknown as Socket
}
