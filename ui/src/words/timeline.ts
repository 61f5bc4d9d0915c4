// The life of an incident in plain words: 传感 → 判断 → 喊话/拍照/通知 → 解除. Pure: a step in, a line out.
import type { CommandStep, Evidence, Incident, Step, Witness } from '@/api/types'
import { say, t } from '@/i18n'
import { durationWords, latencyWords } from './duration'
import { conditionWords, sensing, valueWords } from './value'

export type Stage = Exclude<Step['kind'], 'command'> | CommandStep['action']
export type Tone = 'plain' | 'good' | 'warn' | 'bad'

/** A remark beside a line. `warn` must not be overlooked; `technical` is for the technician, in English. */
export interface Note {
  words: string
  kind: 'plain' | 'warn' | 'technical'
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

type Evidences = ReadonlyMap<string, Evidence>

const LINES: { [K in Step['kind']]: (step: Extract<Step, { kind: K }>, evidence: Evidences) => Partial<Line> & { title: string } } = {
  sensed(step) {
    const known = sensing(step.value, step.role)
    const what = known === null ? t('sensed.other', { value: step.value }) : t(`sensed.${known}`)
    return { title: t('timeline.sensed', { what, who: say(step.entity_name) || step.entity }) }
  },
  opened(step) {
    const duration = durationWords(step.for_s)
    const stays = step.trace.some((one) => one.role === 'vehicle' || one.role === 'person')
    const title =
      step.for_s < 1 ? t('timeline.decided') : t(stays ? 'timeline.decidedStay' : 'timeline.decidedFor', { duration })
    return { title, tone: 'bad', notes: late(step.late_s), trace: step.trace.map(traceLine) }
  },
  escalated(step) {
    return { title: t('timeline.escalated', { n: step.step }), tone: 'warn', notes: late(step.late_s) }
  },
  command(step, evidence) {
    return {
      stage: step.action,
      title: commandTitle(step, evidence.get(step.evidence ?? '')?.media_type.startsWith('video/') ?? false),
      tone: step.status === 'failed' || step.status === 'dropped' ? 'warn' : 'plain',
      notes: commandNotes(step),
      evidence: evidence.get(step.evidence ?? '') ?? null,
    }
  },
  withheld(step) {
    const keys = { say: 'timeline.withheldSay', capture: 'timeline.withheldCapture', notify: 'timeline.withheldNotify' } as const
    const text = say(step.text)
    return {
      title: t(keys[step.action], { reason: t(`reason.${step.reason}`) }),
      tone: 'warn',
      notes: text ? [{ words: text, kind: 'plain' }] : [],
    }
  },
  incident(step) {
    const what = t(`incidentStep.${step.state}`)
    const title = step.reason ? t('incidentStep.because', { what, reason: t(`reason.${step.reason}`) }) : what
    return { title, tone: step.state === 'closed' ? 'good' : 'plain' }
  },
  handled(step) {
    const name = step.by
    const verdict = step.verdict === null ? '' : t(`desk.verdict.${step.verdict}`)
    const title = step.state === 'open' ? name : t(`desk.handled.${step.state}`, { name, verdict })
    return {
      title,
      tone: step.state === 'closed' ? 'good' : 'plain',
      notes: step.note ? [{ words: step.note, kind: 'plain' }] : [],
    }
  },
  cleared(step) {
    return { title: t('timeline.cleared', { reason: t(`reason.${step.reason}`) }), tone: step.reason === 'cleared' ? 'good' : 'warn' }
  },
}

/** The timeline of an incident, line by line. */
export function timelineLines(incident: Pick<Incident, 'timeline' | 'evidence'>): Line[] {
  const evidence = new Map(incident.evidence.map((one) => [one.id, one]))
  return incident.timeline.map((step) => stepLine(step, evidence))
}

function stepLine(step: Step, evidence: Evidences): Line {
  const make = LINES[step.kind] as ((step: Step, evidence: Evidences) => Partial<Line> & { title: string }) | undefined
  // A newer hub may send a kind this page does not know: show that something happened, never hide it.
  if (make === undefined) return { ...EMPTY, at: step.at, stage: 'incident', title: String(step.kind) }
  const stage = step.kind === 'command' ? step.action : step.kind
  return { ...EMPTY, at: step.at, stage, ...make(step, evidence) }
}

const EMPTY: Pick<Line, 'tone' | 'notes' | 'trace' | 'evidence'> = { tone: 'plain', notes: [], trace: [], evidence: null }

function commandTitle(step: CommandStep, filmed: boolean): string {
  if (step.action === 'say') return t('say.line', { text: say(step.text) })
  if (step.action === 'capture' && filmed) return t('capture.filmed')
  if (step.action === 'capture') return t(`capture.${step.status}`)
  return t(`notify.${step.status}`, { contact: say(step.contact) || t('timeline.contact') })
}

function commandNotes(step: CommandStep): Note[] {
  const bad = step.status === 'failed' || step.status === 'dropped'
  const notes: Note[] = []
  if (step.by) notes.push({ words: t('desk.ordered.by', { name: step.by }), kind: 'plain' })
  if (step.person) notes.push({ words: t('desk.ordered.person', { name: step.person }), kind: 'plain' })
  if (step.action === 'say') notes.push({ words: spokenWords(step), kind: bad ? 'warn' : 'plain' })
  if (step.latency_ms !== null && step.seconds === null) {
    notes.push({ words: t('timeline.took', { time: latencyWords(step.latency_ms / 1_000) }), kind: 'plain' })
  }
  if (step.attempts > 1) notes.push({ words: t('timeline.attempts', { n: step.attempts }), kind: 'plain' })
  if (step.failure !== null) notes.push({ words: t('timeline.why', { reason: t(`failure.${step.failure}`) }), kind: 'warn' })
  if (step.reason) notes.push({ words: step.reason, kind: 'technical' })
  if (step.repeated) notes.push({ words: t('timeline.repeated'), kind: 'warn' })
  return notes
}

/** A voice has a beginning and a length; everything else is over when it is done. */
function spokenWords({ status, latency_ms, seconds }: CommandStep): string {
  const what = t(`say.${status}`)
  if (latency_ms === null || seconds === null) return what
  return t('timeline.spoken', { what, start: latencyWords(latency_ms / 1_000), length: latencyWords(seconds) })
}

function late(seconds: number): Note[] {
  return seconds > LATE_S ? [{ words: t('timeline.late', { duration: durationWords(seconds) }), kind: 'warn' }] : []
}

/** A condition of a trace, as a line to read. */
export function traceLine(one: Witness): TraceLine {
  const value = one.value === null ? '' : valueWords(one.value, one.role)
  const source = [say(one.entity_name) || one.entity, value].filter(Boolean).join(t('timeline.says'))
  return { holds: one.holds, condition: conditionWords(one), source, since: one.since }
}
