// Trying a draft on recorded history: progress as it goes, and a way to stop.
import { shallowReactive } from 'vue'
import { ApiError } from '@/api/client'
import type { BacktestLine, BacktestResult } from '@/api/types'
import { ndjson } from '@/words/ndjson'

export type TrialStore = ReturnType<typeof makeTrial>

export function makeTrial() {
  const state = shallowReactive({
    running: false,
    stopped: false,
    progress: 0,
    result: null as BacktestResult | null,
    problem: null as unknown,
  })
  let abort: AbortController | null = null

  /** `days` back from `now`; `against` compares with another rule than the one of the same id. */
  async function run(rule: string, days: number, now: number, against: string | null): Promise<void> {
    stop()
    const mine = (abort = new AbortController())
    Object.assign(state, { running: true, stopped: false, progress: 0, result: null, problem: null })
    const body = { rule, begin: new Date(now - days * 86_400_000).toISOString(), end: new Date(now).toISOString(), against }
    try {
      const response = await fetch('/api/v1/rules/backtest', {
        method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Menshen': '1' }, body: JSON.stringify(body), signal: mine.signal,
      })
      if (!response.ok) {
        const told = await response.json() as { error?: string; message?: string }
        throw new ApiError(response.status, told.error ?? '', told.message ?? '')
      }
      for await (const line of ndjson<BacktestLine>(response)) {
        state.progress = line.progress
        if (line.problem) throw new ApiError(422, line.problem.error, line.problem.message)
        if (line.result) state.result = line.result
      }
    } catch (error) {
      if (mine.signal.aborted) state.stopped = true
      else state.problem = error
    } finally {
      if (abort === mine) state.running = false
    }
  }

  function stop(): void {
    abort?.abort()
  }

  return { state, run, stop }
}
