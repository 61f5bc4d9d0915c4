// The fields of a rule: what a new one begins with, durations as number and unit, findings of a part.
import type { Finding, RuleAction, RuleTerm } from '@/api/types'
import { language, t } from '@/i18n'

export const UNITS = ['s', 'min', 'h', 'd'] as const
export type Unit = (typeof UNITS)[number]

/** `3 min` as its parts; null where it is written otherwise. */
export function durationParts(value: unknown): { amount: string; unit: Unit } | null {
  const match = /^\s*(\d+(?:\.\d+)?)?\s*(s|min|h|d)\s*$/.exec(String(value ?? ''))
  return match === null ? null : { amount: match[1] ?? '', unit: match[2] as Unit }
}

/** Roles with words and roles with numbers; the rest is commanded. */
const CALM: Record<string, string> = { present: 'absent', open: 'closed', active: 'clear' }

/** The value of a role that a rule usually watches for. */
export function firstValue(values: string[]): string {
  return Object.keys(CALM).find((value) => values.includes(value)) ?? values[0] ?? ''
}

/** The opposite: what ends it. */
export function calmValue(value: unknown): string {
  return CALM[String(value)] ?? Object.keys(CALM).find((key) => CALM[key] === value) ?? String(value)
}

/** What the first choice of a condition offers beside the roles. */
export const HEADS = ['mode', 'time', 'weekday', 'day', 'sun', 'count', 'silent', 'all', 'any'] as const
export type Head = (typeof HEADS)[number]

/** A condition to begin with; `values` are those of the role. */
export function newTerm(head: string, values: string[], measured: boolean): RuleTerm {
  const negated = false
  switch (head) {
    case 'mode':
      return { kind: 'word', head, value: 'maintenance', negated: true }
    case 'day':
      return { kind: 'word', head, value: 'workday', negated }
    case 'sun':
      return { kind: 'word', head, value: 'down', negated }
    case 'time':
      return { kind: 'time', begin: '22:00', end: '06:00', negated }
    case 'weekday':
      return { kind: 'weekday', days: ['sat', 'sun'], negated }
    case 'count':
      return { kind: 'count', role: 'door', value: 'open', times: 3, within: '10 min', negated }
    case 'silent':
      return { kind: 'silent', role: 'vehicle', within: '26 h', negated }
    case 'all':
    case 'any': {
      const term: RuleTerm = { kind: 'is', role: 'door', value: 'open', negated, confirm: null, before: null }
      return { kind: 'group', join: head, terms: [term, { ...term, role: 'person', value: 'present' }], negated }
    }
    default:
      if (measured) return { kind: 'beyond', role: head, side: 'above', limit: 60, until: 55, negated }
      return { kind: 'is', role: head, value: firstValue(values), negated, confirm: null, before: null }
  }
}

export const ACTIONS = ['capture', 'say', 'prompt', 'notify', 'switch', 'open_incident', 'close_incident'] as const
export type ActionKind = (typeof ACTIONS)[number]

/** An action to begin with; `known` are the first contact and prompt of the site. */
export function newAction(kind: ActionKind, known: { contact: string; prompt: string }): RuleAction {
  switch (kind) {
    case 'say':
      return { kind, text: { zh: '', en: '' }, volume: 70 }
    case 'capture':
      return { kind, before: null, after: null }
    case 'prompt':
      return { kind, name: known.prompt }
    case 'notify':
      return { kind, contact: known.contact }
    case 'switch':
      return { kind, role: 'light', hold: '5 min' }
    case 'open_incident':
      return { kind, severity: 'medium' }
    default:
      return { kind }
  }
}

/** A rule to begin with: what it watches follows from the zones. */
export function blankRule(id: string, name: string, kind: string): string {
  const role = FIRST_ROLE[kind] ?? 'person'
  const value = role === 'door' ? 'open' : role === 'alarm' || role === 'falling' ? 'active' : 'present'
  return [
    `rule: ${id}`, `name: ${JSON.stringify(name)}`, `zones: {kind: ${kind}}`, 'trigger:', `  ${role}: ${value}`, '  for: 1 min', 'conditions:',
    '  - not: {mode: maintenance}', 'actions:', '  - capture: snapshot', '  - open_incident: {severity: medium}', 'clear:',
    `  ${role}: ${calmValue(value)}`, '  for: 5 s', '  actions:', '    - close_incident: cleared', '',
  ].join('\n')
}

const FIRST_ROLE: Record<string, string> = {
  fire_lane: 'vehicle', unit_door: 'door', plant_door: 'door', gate: 'door', lift_car: 'alarm', corridor: 'ebike', facade: 'falling',
}

/** An id that nobody has: `gate_rule`, `gate_rule_2`, … */
export function freeId(wanted: string, taken: Iterable<string>): string {
  const used = new Set(taken)
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? wanted : `${wanted}_${n}`
    if (!used.has(id)) return id
  }
}

/** The findings of a part, those of its parts included unless `exactly`. */
export function findingsAt(findings: readonly Finding[], path: string, exactly = false): Finding[] {
  return findings.filter((finding) => finding.path === path || (!exactly && finding.path.startsWith(`${path}.`)))
}

export function findingWords(finding: Finding): string {
  const sentence = language.value === 'zh' ? finding.zh || finding.sentence : finding.sentence
  return finding.warning ? t('rules.hint') + sentence : sentence
}
