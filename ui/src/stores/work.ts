// Long work of the hub that a page watches: progress line by line, a result or a problem at the end, a way to stop.
import { shallowReactive } from 'vue'
import { ApiError } from '@/api/client'
import type { Problem } from '@/api/types'
import { ndjson } from '@/words/ndjson'

interface Line<T> { progress: number; result: T | null; problem: Problem | null }

export interface Work<T> { running: boolean; stopped: boolean; progress: number; result: T | null; problem: unknown }

export function makeWork<T>() {
  const state = shallowReactive<Work<T>>({ running: false, stopped: false, progress: 0, result: null, problem: null })
  let abort: AbortController | null = null

  /** Ask, and follow the answer; what was under way ends. The result that is shown stays until the next one where `keep` is set. */
  async function run(path: string, init: RequestInit = {}, keep = false): Promise<void> {
    stop()
    const mine = (abort = new AbortController())
    Object.assign(state, { running: true, stopped: false, progress: 0, problem: null, ...(keep ? {} : { result: null }) })
    try {
      const response = await fetch(path, { ...init, signal: mine.signal })
      if (!response.ok) {
        const told = await response.json() as { error?: string; message?: string }
        throw new ApiError(response.status, told.error ?? '', told.message ?? '')
      }
      for await (const line of ndjson<Line<T>>(response)) {
        if (abort !== mine) return
        state.progress = line.progress
        if (line.problem) throw new ApiError(422, line.problem.error, line.problem.message)
        if (line.result) Object.assign(state, { result: line.result, running: false })
      }
    } catch (error) {
      if (abort !== mine) return
      if (mine.signal.aborted) state.stopped = true
      else state.problem = error instanceof TypeError ? new ApiError(0, 'unreachable', error.message) : error
    } finally {
      if (abort === mine) state.running = false
    }
  }

  function stop(): void {
    abort?.abort()
  }

  return { state, run, stop }
}
