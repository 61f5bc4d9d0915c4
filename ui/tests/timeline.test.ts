import { describe, expect, it } from 'vitest'
import type { Reason, Step } from '@/api/types'
import { setLanguage, type Language } from '@/i18n'
import { timelineLines, type Line } from '@/words/timeline'
import type { Roles } from '@/words/value'
import { command, evidence, incident, sensed, T0 } from './samples'

const VEHICLE: Roles = new Map([['geomag/3', 'vehicle']])

function words(line: Line): string {
  return [line.title, ...line.notes.map((note) => (note.warn ? `!${note.words}` : note.words))].join(' | ')
}

function one(step: Step, roles: Roles = VEHICLE): Line {
  const [line] = timelineLines(incident({ timeline: [step] }), roles)
  if (line === undefined) throw new Error('no line')
  return line
}

function both(step: Step, roles: Roles = VEHICLE): Record<Language, string> {
  setLanguage('zh')
  const zh = words(one(step, roles))
  setLanguage('en')
  return { zh, en: words(one(step, roles)) }
}

const SENTENCE = { zh: '您好，消防车通道禁止停车。', en: 'Hello, no parking in the fire lane.' }
const GUARD = { zh: '值班保安', en: 'the guard' }
const opened = (for_s: number, late_s: number, condition = 'vehicle: present'): Step => ({
  kind: 'opened', at: T0, for_s, late_s,
  trace: [{ condition, holds: true, entity: 'geomag/3', entity_name: { zh: '地磁', en: 'Magnet' }, value: 'present', since: T0 }],
})

const CASES: [string, Step, string, string][] = [
  ['a vehicle', sensed('present'), '3号楼北侧地磁 检测到车辆', 'Magnetometer 3: vehicle detected'],
  ['a vehicle gone', sensed('absent'), '3号楼北侧地磁 车辆已离开', 'Magnetometer 3: vehicle gone'],
  ['a number', sensed('23.5'), '3号楼北侧地磁 读数 23.5', 'Magnetometer 3: reads 23.5'],
  ['opened', opened(180, 0.4), '判断：停留满 3 分钟，条件满足', 'Decided: stayed for 3 min, conditions met'],
  ['opened late', opened(90, 12.2), '判断：停留满 1 分 30 秒，条件满足 | !迟到 12 秒', 'Decided: stayed for 1 min 30 s, conditions met | !12 s late'],
  ['opened, a door', opened(600, 0, 'door: open'), '判断：持续满 10 分钟，条件满足', 'Decided: lasted 10 min, conditions met'],
  ['opened at once', opened(0, 0), '判断：条件满足', 'Decided: conditions met'],
  ['escalated', { kind: 'escalated', at: T0, step: 2, late_s: 5 }, '升级：第 2 步 | !迟到 5 秒', 'Escalated: step 2 | !5 s late'],
  [
    'said', command({ action: 'say', text: SENTENCE, latency_ms: 120.4 }),
    '喊话：您好，消防车通道禁止停车。 | 已播放 | 耗时 120 ms', 'Announced: Hello, no parking in the fire lane. | played | took 120 ms',
  ],
  [
    'said perhaps twice', command({ action: 'say', text: SENTENCE, repeated: true }),
    '喊话：您好，消防车通道禁止停车。 | 已播放 | !可能重复', 'Announced: Hello, no parking in the fire lane. | played | !possibly repeated',
  ],
  [
    'dropped', command({ action: 'say', text: SENTENCE, status: 'dropped', reason: 'stale' }),
    '喊话：您好，消防车通道禁止停车。 | !已放弃，没有播放 | !原因：太迟，已不适用',
    'Announced: Hello, no parking in the fire lane. | !dropped, not played | !Reason: too late to be right',
  ],
  ['photographed', command({ action: 'capture' }), '已拍照', 'Picture taken'],
  [
    'camera away', command({ action: 'capture', status: 'failed', reason: 'no route' }),
    '拍照失败 | !原因：no route', 'Picture failed | !Reason: no route',
  ],
  ['notified', command({ action: 'notify', contact: GUARD }), '已通知 值班保安', 'Notified the guard'],
  [
    'not delivered', command({ action: 'notify', contact: GUARD, status: 'failed', attempts: 5, reason: 'timeout', latency_ms: 12_000 }),
    '未送达：值班保安 | 耗时 12 秒 | 尝试 5 次 | !原因：timeout', 'Not delivered: the guard | took 12 s | 5 attempts | !Reason: timeout',
  ],
  ['notifying', command({ action: 'notify', contact: GUARD, status: 'started' }), '正在通知 值班保安', 'Notifying the guard'],
  [
    'withheld', { kind: 'withheld', at: T0, action: 'say', reason: 'limit', text: SENTENCE },
    '未喊话：达到次数上限 | 您好，消防车通道禁止停车。', 'Not announced: the limit was reached | Hello, no parking in the fire lane.',
  ],
  [
    'withheld notice', { kind: 'withheld', at: T0, action: 'notify', reason: 'source_unknown', text: null },
    '未通知：测点失联，无法确认', 'Not notified: the sensor cannot be trusted now',
  ],
  ['incident opened', { kind: 'incident', at: T0, state: 'open', reason: null }, '事件打开', 'Incident opened'],
  ['acknowledged', { kind: 'incident', at: T0, state: 'acknowledged', reason: null }, '事件已响应', 'Incident acknowledged'],
  ['in progress', { kind: 'incident', at: T0, state: 'in_progress', reason: null }, '事件处理中', 'Incident in progress'],
  [
    'incident closed', { kind: 'incident', at: T0, state: 'closed', reason: 'cleared' },
    '事件关闭：情况已解除', 'Incident closed: the situation is over',
  ],
  ['cleared', { kind: 'cleared', at: T0, reason: 'cleared' }, '解除：情况已解除', 'Cleared: the situation is over'],
  ['rule changed', { kind: 'cleared', at: T0, reason: 'rule_changed' }, '解除：规则已修改', 'Cleared: the rule was changed'],
]

describe('timeline', () => {
  it.each(CASES)('says %s', (_name, step, zh, en) => {
    expect(both(step)).toEqual({ zh, en })
  })

  it('covers every kind of step', () => {
    const kinds: Record<Step['kind'], true> = {
      sensed: true, opened: true, escalated: true, command: true, withheld: true, incident: true, cleared: true,
    }
    expect(new Set(CASES.map(([, step]) => step.kind))).toEqual(new Set(Object.keys(kinds)))
  })

  it.each(['cleared', 'opposite_edge', 'source_unknown', 'rule_changed', 'stale', 'limit'] satisfies Reason[])(
    'has words for the reason %s in both languages', (reason) => {
      const { zh, en } = both({ kind: 'cleared', at: T0, reason })
      expect(zh).not.toContain(reason)
      expect(en).not.toBe(`Cleared: ${reason}`)
      expect(zh).toMatch(/^解除：[\u4e00-\u9fff，]+$/)
    })

  it('learns from the trace what an entity serves as, when the zone no longer says', () => {
    const lines = timelineLines(incident({ timeline: [sensed('present'), opened(180, 0)] }), new Map())
    expect(lines[0]?.title).toBe('3号楼北侧地磁 检测到车辆')
    expect(one(sensed('present'), new Map()).title).toBe('3号楼北侧地磁 检测到目标')
  })

  it('shows each witness as true, false or not known', () => {
    const witness = { entity: null, entity_name: null, value: null, since: null }
    const line = one({
      kind: 'opened', at: T0, for_s: 1, late_s: 0,
      trace: [
        { condition: 'vehicle: present', holds: true, entity: 'geomag/3', entity_name: { zh: '地磁', en: '' }, value: 'present', since: T0 },
        { ...witness, condition: 'not mode: maintenance', holds: false },
        { ...witness, condition: 'count(door) >= 3', holds: null },
      ],
    })
    expect(line.trace.map((each) => [each.holds, each.condition, each.source])).toEqual([
      [true, '有车', '地磁 有车'], [false, '不是“维护模式”', ''], [null, 'count(door) >= 3', ''],
    ])
  })

  it('joins a command with its evidence', () => {
    const sound = evidence({ id: 's', media_type: 'audio/wav' })
    const timeline = [command({ action: 'say', text: SENTENCE, evidence: 's' }), command({ action: 'say', evidence: 'gone' })]
    expect(timelineLines(incident({ timeline, evidence: [sound] }), VEHICLE).map((line) => line.evidence)).toEqual([sound, null])
  })

  it('does not hide a kind of step that a newer hub sends', () => {
    expect(one({ kind: 'teleported', at: T0 } as unknown as Step).title).toBe('teleported')
  })
})
