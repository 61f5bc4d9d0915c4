// What a trial found, as bars on a line of time: one row a zone, one bar an activation, in the colour of its version.
import type { BacktestLife, BacktestResult } from '@/api/types'

export type Side = 'both' | 'onlyNew' | 'onlyOld'
export interface Bar { side: Side; zone: string; from: number; to: number; life: BacktestLife }

function key(life: BacktestLife): string {
  return `${life.zone} ${life.opened_at}`
}

/** All bars, those that only the active version would have had included. */
export function bars(result: BacktestResult): Bar[] {
  const end = Date.parse(result.end)
  const fresh = new Set((result.comparison?.only_new ?? []).map(key))
  const bar = (life: BacktestLife, side: Side): Bar => ({
    side, zone: life.zone, life, from: Date.parse(life.opened_at), to: life.cleared_at === null ? end : Date.parse(life.cleared_at),
  })
  const mine = result.activations.map((life) => bar(life, result.comparison === null || fresh.has(key(life)) ? 'onlyNew' : 'both'))
  return [...mine, ...(result.comparison?.only_old ?? []).map((life) => bar(life, 'onlyOld'))].sort((a, b) => a.from - b.from)
}
