// What the pages about rules reckon by themselves: differences, durations, completions, bars.
import { describe, expect, it } from 'vitest'
import type { BacktestLife, BacktestResult, Finding } from '@/api/types'
import { setLanguage } from '@/i18n'
import { enRules, zhRules } from '@/i18n/rules'
import { completions, pathAt, type Schema } from '@/words/complete'
import { diffLines, shortened } from '@/words/diff'
import { bars } from '@/words/lives'
import { ndjson } from '@/words/ndjson'
import { blankRule, calmValue, durationParts, findingsAt, findingWords, firstValue, freeId, HEADS, newTerm } from '@/words/rule'

describe('difference', () => {
  const marked = (before: string, after: string): string[] => diffLines(before, after).map((line) => line.mark + line.text)

  it('names what is gone and what has come', () => {
    expect(marked('a\nb\nc\n', 'a\nx\nc\nd\n')).toEqual([' a', '-b', '+x', ' c', '+d'])
    expect(marked('a\n', 'a\n')).toEqual([' a'])
    expect(marked('', 'a\n')).toEqual(['-', '+a'])
  })

  it('shows the lines around a change only', () => {
    const before = Array.from({ length: 20 }, (_, n) => `line ${n}`).join('\n')
    expect(shortened(diffLines(before, before.replace('line 9', 'other'))).map((line) => line.text)).toEqual(
      ['line 7', 'line 8', 'line 9', 'other', 'line 10', 'line 11'])
    expect(shortened(diffLines(before, before))).toEqual([])
  })
})

describe('durations', () => {
  it.each([
    ['3 min', { amount: '3', unit: 'min' }], ['1.5 h', { amount: '1.5', unit: 'h' }], ['30s', { amount: '30', unit: 's' }],
    ['min', { amount: '', unit: 'min' }], ['3', null], ['3 weeks', null], [null, null], [true, null],
  ])('%s', (value, parts) => expect(durationParts(value)).toEqual(parts))
})

describe('a new rule', () => {
  it('watches what belongs to its zones, and ends by the opposite', () => {
    expect(blankRule('gate', '车库门', 'gate')).toContain('  door: open\n')
    expect(blankRule('gate', '车库门', 'gate')).toContain('clear:\n  door: closed\n')
    expect(blankRule('lane', 'a "b"', 'fire_lane')).toContain('name: "a \\"b\\""')
  })

  it('gets an id that nobody has', () => {
    expect(freeId('gate', [])).toBe('gate')
    expect(freeId('gate', ['gate', 'gate_2'])).toBe('gate_3')
  })

  it('has every kind of condition to begin with', () => {
    expect(HEADS.map((head) => newTerm(head, [], false).kind)).toEqual(
      ['word', 'time', 'weekday', 'word', 'word', 'count', 'silent', 'group', 'group'])
    expect(newTerm('temperature', [], true)).toMatchObject({ kind: 'beyond', role: 'temperature' })
    expect(newTerm('door', ['closed', 'open'], false)).toMatchObject({ kind: 'is', value: 'open' })
    expect([firstValue(['absent', 'present']), calmValue('open'), calmValue('clear')]).toEqual(['present', 'closed', 'active'])
  })
})

describe('findings', () => {
  const finding = (path: string, warning = false): Finding => ({ line: 1, column: 1, sentence: 'en', zh: '中', warning, path, file: '' })

  it('stand at their part', () => {
    const all = [finding('trigger.for'), finding('trigger'), finding('triggers')]
    expect(findingsAt(all, 'trigger')).toHaveLength(2)
    expect(findingsAt(all, 'trigger', true)).toHaveLength(1)
  })

  it('speak the language of the page', () => {
    expect(findingWords(finding('a', true))).toBe('提示：中')
    setLanguage('en')
    expect(findingWords(finding('a'))).toBe('en')
  })
})

const SCHEMA: Schema = {
  properties: {
    zones: { properties: { kind: { enum: ['fire_lane', 'gate'] }, only: { oneOf: [{ type: 'string' }, { items: { type: 'string' } }] } } },
    trigger: { oneOf: [{ properties: { vehicle: { enum: ['present', 'absent'] }, for: { $ref: '#/$defs/duration' } } }, { properties: { mode: { enum: ['test'] } } }] },
    actions: { items: { $ref: '#/$defs/action' } },
    escalation: { items: { properties: { after: { $ref: '#/$defs/duration' }, actions: { items: { $ref: '#/$defs/action' } } } } },
    dry_run: { type: 'boolean' },
  },
  $defs: {
    duration: { type: 'string', examples: ['3 min'] },
    action: { oneOf: [{ properties: { capture: { const: 'snapshot' } } }, { properties: { say: { oneOf: [{ type: 'string' }, { properties: { text: {}, volume: {} } }] } } }] },
  },
}
const NAMES = { only: [{ label: 'lane_3' }], say: [{ label: 'second_warning' }] }

describe('completion', () => {
  const labels = (text: string): string[] => completions(SCHEMA, NAMES, text).map((one) => one.label)

  it.each([
    ['', ['zones', 'trigger', 'actions', 'escalation', 'dry_run']],
    ['rule: x\ntr', ['zones', 'trigger', 'actions', 'escalation', 'dry_run']],
    ['zones: {ki', ['kind', 'only']],
    ['zones: {kind: ', ['fire_lane', 'gate']],
    ['zones: {kind: gate, only: [', ['lane_3']],
    ['trigger:\n  ', ['vehicle', 'for', 'mode']],
    ['trigger:\n  vehicle: pr', ['present', 'absent']],
    ['trigger:\n  vehicle: present\n  for: ', ['3 min']],
    ['actions:\n  - ', ['capture', 'say']],
    ['actions:\n  - capture: ', ['snapshot']],
    ['actions:\n  - say: sec', ['second_warning']],
    ['actions:\n  - say:\n      ', ['text', 'volume']],
    ['escalation:\n  - after: 2 min\n    ', ['after', 'actions']],
    ['escalation:\n  - after: 2 min\n    actions:\n      - ', ['capture', 'say']],
    ['escalation:\n  - after: 2 min\n    actions: [{', ['capture', 'say']],
    ['trigger:\n  for: 3 min\ndry_run: ', ['true', 'false']],
  ])('after %j', (text, wanted) => expect(labels(text)).toEqual(wanted))

  it('knows where a line is', () => {
    expect(pathAt(['clear:', '  door: closed', '  actions:'], '    - ')).toEqual({ path: ['clear', 'actions'], value: null })
  })
})

describe('what a trial found', () => {
  const life = (zone: string, from: string, to: string | null): BacktestLife => ({
    zone, since: from, opened_at: from, running: false, late_s: 0, cleared_at: to, reason: null, done: {}, withheld: {}, pictures: [],
  })
  const lives = [life('a', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00Z'), life('a', '2026-01-02T00:00:00Z', null)]
  const result = (comparison: BacktestResult['comparison']): BacktestResult => ({
    rule: 'r', name: { zh: '', en: '' }, dry_run: false, begin: '2026-01-01T00:00:00Z', end: '2026-01-03T00:00:00Z', zones: [], activations: lives,
    dropped: [], comparison,
  })

  it('tells the versions apart, in the order of time', () => {
    const old = life('b', '2026-01-01T12:00:00Z', '2026-01-01T13:00:00Z')
    expect(bars(result({ both: 1, only_new: [lives[1]!], only_old: [old] })).map((bar) => bar.side)).toEqual(['both', 'onlyOld', 'onlyNew'])
    expect(bars(result(null)).map((bar) => bar.side)).toEqual(['onlyNew', 'onlyNew'])
    expect(bars(result(null))[1]!.to).toBe(Date.parse('2026-01-03T00:00:00Z'))
  })

  it('arrives line by line, however it is cut', async () => {
    const bytes = new TextEncoder().encode('{"a":"一"}\n{"a":"二"}\n')
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]))
        controller.close()
      },
    })
    const found: unknown[] = []
    for await (const line of ndjson<{ a: string }>(new Response(body))) found.push(line.a)
    expect(found).toEqual(['一', '二'])
  })
})

describe('catalogue', () => {
  const holes = (words: object): string[] => Object.values(words).flatMap((value: unknown) => (
    typeof value === 'string' ? [[...value.matchAll(/\{\w+\}/g)].map(([hole]) => hole).sort().join()] : holes(value as object)))

  it('has the same holes in both languages', () => expect(holes(enRules)).toEqual(holes(zhRules)))
})
