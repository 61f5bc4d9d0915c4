// How far a node is, and why: the hub's English reasons in the words of the page.
import type { FirmwareUnit } from '@/api/types'
import { knows, t, type MessageKey } from '@/i18n'

/** Sentences of integrations/firmware_node and firmware_bridge; what they capture is the detail. */
const REASONS: readonly [RegExp, MessageKey][] = [
  [/^a restart of the hub interrupted it/, 'firmware.reason.interrupted'],
  [/^the new image did not stay up/, 'firmware.reason.stayed'],
  [/^the new image restarted within its quiet time/, 'firmware.reason.restarted'],
  [/^self-test of the new image failed: (.*)$/, 'firmware.reason.selfTest'],
  [/^the node did not keep the new image/, 'firmware.reason.notKept'],
  [/^not connected$/, 'firmware.reason.absent'],
  [/^its health is not known yet$/, 'firmware.reason.health'],
  [/^battery at (\d+) %$/, 'firmware.reason.battery'],
  [/^the node has an alarm$/, 'firmware.reason.alarm'],
  [/^outside the maintenance window$/, 'firmware.reason.window'],
  [/^incident (\d+) is open$/, 'firmware.reason.incident'],
  [/^stopped by (.*)$/, 'firmware.reason.by'],
  [/^the node was gone for (.+) s$/, 'firmware.reason.gone'],
  [/^the node did not come back within (.+) s;/, 'firmware.reason.back'],
  [/^a downgrade: (.*)$/, 'firmware.reason.downgrade'],
  [/^(\d+) of \d+ nodes could not be reached$/, 'firmware.reason.left'],
  [/^not all nodes became ready$/, 'firmware.reason.ready'],
  [/not signed with the key/, 'firmware.reason.signature'],
  [/\bcut\b/, 'firmware.reason.cut'],
  [/^put the public key of your images/, 'firmware.reason.key'],
  [/^a roll-out is running/, 'firmware.reason.busy'],
  [/^no answer|did not answer/, 'firmware.reason.noAnswer'],
]

/** A reason of the hub; one that is not known is shown as it is. */
export function reasonWords(reason: string): string {
  for (const [pattern, key] of REASONS) {
    const found = pattern.exec(reason)
    if (found) return t(key, { detail: found[1] ?? '' })
  }
  const named = /^([a-z0-9_]+): (.+)$/.exec(reason)
  return named ? t('firmware.reason.node', { node: named[1] ?? '', what: reasonWords(named[2] ?? '') }) : reason
}

/** How far a node of a roll-out is; empty for one that takes no part. Once it has ended, nobody waits any more. */
export function standWords(unit: FirmwareUnit, running: boolean): string {
  if (!unit.stand) return ''
  if (unit.stand === 'waiting' && !running) return t('firmware.stand.left')
  const key = `firmware.stand.${unit.stand === 'updating' ? unit.phase || 'check' : unit.stand}`
  return knows(key) ? t(key, { n: Math.round(unit.share * 100) }) : unit.stand
}
