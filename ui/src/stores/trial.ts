// Trying a draft on recorded history: progress as it goes, and a way to stop.
import type { BacktestResult } from '@/api/types'
import { makeWork } from '@/stores/work'

export type TrialStore = ReturnType<typeof makeTrial>

export function makeTrial() {
  const { state, run: work, stop } = makeWork<BacktestResult>()

  /** `days` back from `now`; `against` compares with another rule than the one of the same id. */
  async function run(rule: string, days: number, now: number, against: string | null): Promise<void> {
    const body = { rule, begin: new Date(now - days * 86_400_000).toISOString(), end: new Date(now).toISOString(), against }
    const headers = { 'Content-Type': 'application/json', 'X-Menshen': '1' }
    await work('/api/v1/rules/backtest', { method: 'POST', headers, body: JSON.stringify(body) })
  }

  return { state, run, stop }
}
