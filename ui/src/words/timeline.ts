// The life of an incident in plain words: 传感 → 判断 → 喊话/拍照/通知 → 解除. Pure: a step in, a line out.
import type { CommandStep, Evidence, Incident, Reason, Step, Witness } from '@/api/types'
import { say, t, type MessageKey } from '@/i18n'
import { zh } from '@/i18n/zh'
import { durationWords, latencyWords } from './duration'
import { conditionRole, conditionWords, isRole, sensing, valueWords, type Roles } from './value'

export type Stage = Exclude<Step['kind'], 'command'> | CommandStep['action']
export type Tone = 'plain' | 'good' | 'warn' | 'bad'

/** A remark beside a line; `warn` ones must not be overlooked. */
export interface Note {
  words: string
  warn: boolean
}

export interface TraceLine {
  holds: boolean | null
  condition: string
  /** Which entity said so, and what; empty for conditions without one. */
  source: string
  since: string | null
}

export interface Line {
  at: string
  stage: Stage
  title: string
  tone: Tone
  notes: Note[]
  trace: TraceLine[]
  evidence: Evidence | null
}

/** Later than this is worth saying (seconds). */
const LATE_S = 1

const LINES: { [K in Step['kind']]: (step: Extract<Step, { kind: K }>, context: Context) => Partial<Line> & { title: string } } = {
  sensed(step, { roles }) {
    const known = sensing(step.value, roles.get(step.entity) ?? null)
    const what = known === null ? t('sensed.other', { value: step.value }) : t(`sensed.${known}`)
    return { title: t('timeline.at', { who: say(step.entity_name) || step.entity, what }) }
  },
  opened(step) {
    const duration = durationWords(step.for_s)
    const stays = step.trace.some((one) => ['vehicle', 'person'].includes(conditionRole(one) ?? ''))
    const title =
      step.for_s < 1 ? t('timeline.decided') : t(stays ? 'timeline.decidedStay' : 'timeline.decidedFor', { duration })
    return { title, tone: 'bad', notes: late(step.late_s), trace: step.trace.map(traceLine) }
  },
  escalated(step) {
    return { title: t('timeline.escalated', { n: step.step }), tone: 'warn', notes: late(step.late_s) }
  },
  command(step, { evidence }) {
    return {
      stage: step.action,
      title: commandTitle(step),
      tone: step.status === 'failed' || step.status === 'dropped' ? 'warn' : 'plain',
      notes: commandNotes(step),
      evidence: evidence.get(step.evidence ?? '') ?? null,
    }
  },
  withheld(step) {
    const keys = { say: 'timeline.withheldSay', capture: 'timeline.withheldCapture', notify: 'timeline.withheldNotify' } as const
    const text = say(step.text)
    return {
      title: t(keys[step.action], { reason: reasonWords(step.reason) }),
      tone: 'warn',
      notes: text ? [{ words: text, warn: false }] : [],
    }
  },
  incident(step) {
    const what = t(`incidentStep.${step.state}`)
    const title = step.reason ? t('incidentStep.because', { what, reason: reasonWords(step.reason) }) : what
    return { title, tone: step.state === 'closed' ? 'good' : 'plain' }
  },
  cleared(step) {
    return { title: t('timeline.cleared', { reason: reasonWords(step.reason) }), tone: step.reason === 'cleared' ? 'good' : 'warn' }
  },
}

interface Context {
  roles: Roles
  evidence: ReadonlyMap<string, Evidence>
}

/** The timeline of an incident. `roles` says as what its zone's entities serve. */
export function timelineLines(incident: Pick<Incident, 'timeline' | 'evidence'>, roles: Roles): Line[] {
  const evidence = new Map(incident.evidence.map((one) => [one.id, one]))
  // An entity of the trace is known to serve as what its condition names, even where the zone was rebound since.
  const witnessed = incident.timeline.flatMap((step) => (step.kind === 'opened' ? step.trace : []))
  const all = new Map(roles)
  for (const one of witnessed) {
    const role = conditionRole(one)
    if (one.entity !== null && role !== null && !all.has(one.entity)) all.set(one.entity, role)
  }
  return incident.timeline.map((step) => stepLine(step, { roles: all, evidence }))
}

function stepLine(step: Step, context: Context): Line {
  const make = LINES[step.kind] as ((step: Step, context: Context) => Partial<Line> & { title: string }) | undefined
  // A newer hub may send a kind this page does not know: show that something happened, never hide it.
  if (make === undefined) return { ...EMPTY, at: step.at, stage: 'incident', title: String(step.kind) }
  const stage = step.kind === 'command' ? step.action : step.kind
  return { ...EMPTY, at: step.at, stage, ...make(step, context) }
}

const EMPTY: Pick<Line, 'tone' | 'notes' | 'trace' | 'evidence'> = { tone: 'plain', notes: [], trace: [], evidence: null }

/** A reason in words; free text of an executor stays as it is. */
export function reasonWords(reason: string): string {
  return reason in zh.reason ? t(`reason.${reason as Reason}`) : reason
}

function commandTitle(step: CommandStep): string {
  if (step.action === 'say') return t('say.line', { text: say(step.text) })
  if (step.action === 'capture') return t(`capture.${step.status}`)
  return t(`notify.${step.status}`, { contact: say(step.contact) || t('timeline.contact') })
}

function commandNotes(step: CommandStep): Note[] {
  const bad = step.status === 'failed' || step.status === 'dropped'
  const notes: Note[] = []
  if (step.action === 'say') notes.push({ words: t(`say.${step.status}`), warn: bad })
  if (step.latency_ms !== null) notes.push({ words: t('timeline.took', { time: latencyWords(step.latency_ms) }), warn: false })
  if (step.attempts > 1) notes.push({ words: t('timeline.attempts', { n: step.attempts }), warn: false })
  if (step.reason) notes.push({ words: t('timeline.why', { reason: reasonWords(step.reason) }), warn: bad })
  if (step.repeated) notes.push({ words: t('timeline.repeated'), warn: true })
  return notes
}

function late(seconds: number): Note[] {
  return seconds > LATE_S ? [{ words: t('timeline.late', { duration: durationWords(seconds) }), warn: true }] : []
}

function traceLine(one: Witness): TraceLine {
  const role = conditionRole(one)
  const value = one.value === null ? '' : modeOr(one.value, role)
  const who = say(one.entity_name) || (one.entity ?? '')
  return {
    holds: one.holds,
    condition: conditionWords(one.condition),
    source: [who, value].filter(Boolean).join(' '),
    since: one.since,
  }
}

function modeOr(value: string, role: ReturnType<typeof conditionRole>): string {
  if (role === null && value in zh.mode) return t(`mode.${value}` as MessageKey)
  return valueWords(value, role !== null && isRole(role) ? role : null)
}
