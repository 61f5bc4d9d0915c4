// Long work of the hub that a page watches: progress line by line, a result or a problem at the end, a way to stop.
import { shallowReactive } from 'vue'
import { ApiError } from '@/api/client'
import type { Problem } from '@/api/types'
import { ndjson } from '@/words/ndjson'

interface Line<T> { progress: number; result: T | null; problem: Problem | null }

/** `progress` is 0 to 1; null while nobody can say. */
export interface Work<T> { running: boolean; stopped: boolean; progress: number | null; result: T | null; problem: unknown }

/** A file is drawn or packed in seconds, on a small machine in a minute or two. */
const PATIENCE_MS = 180_000

async function asked(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, init)
  if (response.ok) return response
  const told = await response.json() as { error?: string; message?: string }
  throw new ApiError(response.status, told.error ?? '', told.message ?? '')
}

export function makeWork<T>() {
  const state = shallowReactive<Work<T>>({ running: false, stopped: false, progress: 0, result: null, problem: null })
  let abort: AbortController | null = null

  /** Do work that `mine` ends; what was under way ends before it. */
  async function begin(first: Partial<Work<T>>, doing: (mine: AbortController) => Promise<void>): Promise<void> {
    stop()
    const mine = (abort = new AbortController())
    Object.assign(state, { running: true, stopped: false, progress: 0, problem: null, ...first })
    try {
      await doing(mine)
    } catch (error) {
      if (abort !== mine) return
      if (mine.signal.aborted) state.stopped = true
      else state.problem = error instanceof TypeError ? new ApiError(0, 'unreachable', error.message) : error
    } finally {
      if (abort === mine) state.running = false
    }
  }

  /** Ask, and follow the answer. The result that is shown stays until the next one where `keep` is set. */
  function run(path: string, init: RequestInit = {}, keep = false): Promise<void> {
    return begin(keep ? {} : { result: null }, async (mine) => {
      const response = await asked(path, { ...init, signal: mine.signal })
      for await (const line of ndjson<Line<T>>(response)) {
        if (abort !== mine) return
        state.progress = line.progress
        if (line.problem) throw new ApiError(422, line.problem.error, line.problem.message)
        if (line.result) Object.assign(state, { result: line.result, running: false })
      }
    })
  }

  /** Ask for a file, and give it to the browser to save as `name`. Nobody knows how far the hub is with it. */
  function file(path: string, name: string, init: RequestInit = {}): Promise<void> {
    return begin({ progress: null }, async (mine) => {
      const patience = setTimeout(() => mine.abort(), PATIENCE_MS)
      try {
        const content = await (await asked(path, { ...init, signal: mine.signal })).blob()
        const address = URL.createObjectURL(content)
        Object.assign(document.createElement('a'), { href: address, download: name }).click()
        setTimeout(() => URL.revokeObjectURL(address), 60_000)
      } finally {
        clearTimeout(patience)
      }
    })
  }

  function stop(): void {
    abort?.abort()
  }

  return { state, run, file, stop }
}
