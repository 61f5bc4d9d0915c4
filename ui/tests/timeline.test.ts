import { describe, expect, it } from 'vitest'
import type { Failure, Reason, Step, Witness } from '@/api/types'
import { setLanguage, type Language } from '@/i18n'
import { timelineLines, type Line } from '@/words/timeline'
import { command, evidence, incident, saw, sensed, T0, witness } from './samples'

function words(line: Line): string {
  return [line.title, ...line.notes.map((note) => ({ plain: '', warn: '!', technical: '~' })[note.kind] + note.words)].join(' | ')
}

function one(step: Step): Line {
  const [line] = timelineLines(incident({ timeline: [step] }))
  if (line === undefined) throw new Error('no line')
  return line
}

function both(step: Step): Record<Language, string> {
  setLanguage('zh')
  const zh = words(one(step))
  setLanguage('en')
  return { zh, en: words(one(step)) }
}

const SENTENCE = { zh: '您好，消防车通道禁止停车。', en: 'Hello, no parking in the fire lane.' }
const GUARD = { zh: '值班保安', en: 'the guard' }
const opened = (for_s: number, late_s: number, trace: Witness[] = [saw('vehicle', 'present', 'present')]): Step => ({
  kind: 'opened', at: T0, for_s, late_s, trace,
})

const CASES: [string, Step, string, string][] = [
  ['a vehicle', sensed('present'), '检测到车辆（lane_3 · 车辆）', 'Vehicle detected (lane_3 · Vehicle)'],
  ['a vehicle gone', sensed('absent'), '车辆已离开（lane_3 · 车辆）', 'Vehicle gone (lane_3 · Vehicle)'],
  ['something', sensed('present', null), '检测到目标（lane_3 · 车辆）', 'Something detected (lane_3 · Vehicle)'],
  ['a number', sensed('23.5', null), '读数 23.5（lane_3 · 车辆）', 'Reads 23.5 (lane_3 · Vehicle)'],
  ['opened', opened(180, 0.4), '判断：停留满 3 分钟，条件满足', 'Decided: stayed for 3 min, conditions met'],
  ['opened late', opened(90, 12.2), '判断：停留满 1 分 30 秒，条件满足 | !迟到 12 秒', 'Decided: stayed for 1 min 30 s, conditions met | !12 s late'],
  ['opened, a door', opened(600, 0, [saw('door', 'open', 'open')]), '判断：持续满 10 分钟，条件满足', 'Decided: lasted 10 min, conditions met'],
  ['opened at once', opened(0, 0), '判断：条件满足', 'Decided: conditions met'],
  ['escalated', { kind: 'escalated', at: T0, step: 2, late_s: 5 }, '升级：第 2 步 | !迟到 5 秒', 'Escalated: step 2 | !5 s late'],
  [
    'said', command({ action: 'say', text: SENTENCE, latency_ms: 12.4, seconds: 6.51 }),
    '喊话：您好，消防车通道禁止停车。 | 已播放（0.01 秒后开始，时长 6.5 秒）',
    'Announced: Hello, no parking in the fire lane. | played (began after 0.01 s, lasted 6.5 s)',
  ],
  [
    'said perhaps twice', command({ action: 'say', text: SENTENCE, repeated: true }),
    '喊话：您好，消防车通道禁止停车。 | 已播放 | !可能重复', 'Announced: Hello, no parking in the fire lane. | played | !possibly repeated',
  ],
  [
    'dropped', command({ action: 'say', text: SENTENCE, status: 'dropped', failure: 'late' }),
    '喊话：您好，消防车通道禁止停车。 | !已放弃，没有播放 | !原因：太迟，已不适用',
    'Announced: Hello, no parking in the fire lane. | !dropped, not played | !Reason: too late to be right',
  ],
  ['photographed', command({ action: 'capture', latency_ms: 63.7 }), '已拍照 | 耗时 0.06 秒', 'Picture taken | took 0.06 s'],
  [
    'camera away', command({ action: 'capture', status: 'failed', failure: 'unreachable', reason: 'no route' }),
    '拍照失败 | !原因：连不上设备 | ~no route', 'Picture failed | !Reason: the device could not be reached | ~no route',
  ],
  [
    'trying again', command({ action: 'capture', status: 'started', attempts: 2, failure: 'device' }),
    '正在拍照 | 尝试 2 次 | !原因：设备没有照办', 'Taking a picture | 2 attempts | !Reason: the device did not obey',
  ],
  ['notified', command({ action: 'notify', contact: GUARD }), '已通知 值班保安', 'Notified the guard'],
  [
    'not delivered', command({
      action: 'notify', contact: GUARD, status: 'failed', attempts: 5, failure: 'unreachable', reason: 'timeout', latency_ms: 12_000,
    }),
    '未送达：值班保安 | 耗时 12 秒 | 尝试 5 次 | !原因：连不上设备 | ~timeout',
    'Not delivered: the guard | took 12 s | 5 attempts | !Reason: the device could not be reached | ~timeout',
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
  ['seen by', { kind: 'handled', at: T0, state: 'acknowledged', by: '王师傅', verdict: null, note: '' }, '王师傅：知道了', '王师傅 has seen it'],
  [
    'judged by', { kind: 'handled', at: T0, state: 'closed', by: '王师傅', verdict: 'false_alarm', note: '树影' },
    '王师傅：关闭事件，误报 | 树影', '王师傅 closed it: False alarm | 树影',
  ],
  [
    'ordered by a person, told to whoever is on duty', command({ action: 'notify', contact: GUARD, by: '王师傅', person: '李师傅' }),
    '已通知 值班保安 | 王师傅 操作 | 当班：李师傅', 'Notified the guard | by 王师傅 | on duty: 李师傅',
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
      sensed: true, opened: true, escalated: true, command: true, withheld: true, incident: true, handled: true, cleared: true,
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

  it.each(['device', 'unreachable', 'credentials', 'unsupported', 'late', 'over', 'fault'] satisfies Failure[])(
    'has words for the failure %s in both languages', (failure) => {
      const { zh, en } = both(command({ action: 'capture', status: 'failed', failure }))
      expect(zh).toMatch(/^拍照失败 \| !原因：[\u4e00-\u9fff，]+$/)
      expect(en).toMatch(/^Picture failed \| !Reason: [A-Za-z ]{8,}$/)
    })

  it('shows each witness as true, false or not known', () => {
    const line = one(opened(1, 0, [
      saw('vehicle', 'present', 'present'), witness({ mode: 'maintenance', negated: true, holds: false }),
      witness({ role: 'smoke', wanted: 'active', negated: true, holds: null, entity: 'smoke.1' }),
    ]))
    expect(line.trace.map((each) => [each.holds, each.condition, each.source])).toEqual([
      [true, '有车', 'lane_3 · 车辆：有车'], [false, '不是“维护模式”', ''], [null, '不是“有烟”', 'smoke.1'],
    ])
  })

  it('joins a command with its evidence', () => {
    const sound = evidence({ id: 's', media_type: 'audio/wav' })
    const timeline = [command({ action: 'say', text: SENTENCE, evidence: 's' }), command({ action: 'say', evidence: 'gone' })]
    expect(timelineLines(incident({ timeline, evidence: [sound] })).map((line) => line.evidence)).toEqual([sound, null])
  })

  it('does not hide a kind of step that a newer hub sends', () => {
    expect(one({ kind: 'teleported', at: T0 } as unknown as Step).title).toBe('teleported')
  })
})

describe('a clip', () => {
  it.each([['video/mp4', '已录像'], ['image/jpeg', '已拍照']])('%s is called %s', (media_type, words) => {
    setLanguage('zh')
    const step = command({ action: 'capture', evidence: 'e' })
    const [line] = timelineLines(incident({ timeline: [step], evidence: [evidence({ id: 'e', media_type })] }))
    expect(line!.title).toBe(words)
  })
})
