// A community at 03:00, in the shapes of ../openapi.json. Times are relative to now, so that it always looks alive.
import { createHash } from 'node:crypto'
import { picture } from './png.mjs'
import { chime } from './wav.mjs'

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString()
const text = (zh, en = '') => ({ zh, en })

export const files = new Map()

function evidence(incident, id, media_type, body, at) {
  files.set(id, { media_type, body })
  const sha256 = createHash('sha256').update(body).digest('hex')
  return { id, incident, media_type, sha256, size: body.length, at, url: `/api/v1/evidence/${id}` }
}

const LANE = { zone: 'lane-3', zone_name: text('3号楼北侧消防车道', 'Fire lane north of building 3') }
const BLOCKED = { rule: 'fire_lane_blocked', rule_name: text('消防通道占用', 'Fire lane blocked') }
const MAGNET = { entity: 'geomag.lane_3', entity_name: text('3号楼北侧地磁 · 车辆', 'Magnetometer 3 · Vehicle'), role: 'vehicle' }
const SENTENCE = text(
  '您好，消防车通道禁止停车，请立即驶离，谢谢配合。', 'Hello, parking in the fire lane is not allowed. Please drive away now. Thank you.')
const GUARD = text('值班保安', 'Guard on duty')

const command = (at, action, more = {}) => ({
  kind: 'command', at, action, status: 'done', text: null, contact: null, done_at: at, latency_ms: null, seconds: null, attempts: 1,
  failure: null, reason: '', repeated: false, evidence: null, ...more,
})
const witness = (more) => ({
  holds: true, negated: false, role: null, wanted: null, mode: null, detail: '', entity: null, entity_name: null, value: null, since: null, ...more,
})
const SMOKE = { entity: 'smoke.3_1', entity_name: text('3号楼1层烟感 · 烟雾', 'Smoke detector 3 · Smoke'), role: 'smoke' }
const trace = (since) => [
  witness({ ...MAGNET, wanted: 'present', value: 'present', since }),
  witness({ negated: true, mode: 'maintenance' }),
  witness({ ...SMOKE, holds: null, negated: true, wanted: 'active' }),
]

/** The beginning of a blocked fire lane, `t` seconds ago. */
function opening(id, t, late_s = 0) {
  const photo = evidence(id, `${id}-a`, 'image/png', picture(true), ago(t - 0.4))
  const sound = evidence(id, `${id}-s`, 'audio/wav', chime(), ago(t - 0.2))
  const timeline = [
    { kind: 'sensed', at: ago(t + 180 + late_s), ...MAGNET, value: 'present' },
    { kind: 'opened', at: ago(t), for_s: 180 + late_s, late_s, trace: trace(ago(t + 180 + late_s)) },
    { kind: 'incident', at: ago(t), state: 'open', reason: null },
    command(ago(t), 'capture', { latency_ms: 412, evidence: photo.id }),
    command(ago(t), 'say', { text: SENTENCE, latency_ms: 12, seconds: 2, evidence: sound.id }),
  ]
  return { photo, sound, timeline }
}

/** What no person has done yet, and what the zone can do. */
const UNHANDLED = {
  where: [text('3号楼', 'Building 3')], answered_at: null, handler: '', verdict: null, note: '', sees: false, speaks: false,
}

export function openBlocked(id, t) {
  const { photo, sound, timeline } = opening(id, t, 12)
  timeline.push(
    { kind: 'escalated', at: ago(t - 120), step: 1, late_s: 0 },
    command(ago(t - 120), 'say', { text: SENTENCE, latency_ms: 9, seconds: 6.51, repeated: true }),
    { kind: 'withheld', at: ago(t - 150), action: 'say', reason: 'limit', text: SENTENCE },
    command(ago(t - 160), 'notify', {
      status: 'failed', contact: text('物业经理', 'Property manager'), done_at: ago(t - 170), latency_ms: 10_004, attempts: 5,
      failure: 'unreachable', reason: 'no answer within 10 s',
    }),
    command(ago(t - 160), 'notify', { contact: GUARD, latency_ms: 233 }),
  )
  return {
    id, ...BLOCKED, ...LANE, state: 'open', severity: 'high', opened_at: ago(t), closed_at: null, close_reason: null, ...UNHANDLED,
    timeline: timeline.filter((step) => Date.parse(step.at) <= Date.now()), evidence: [photo, sound],
  }
}

export function closeBlocked(incident, at = new Date().toISOString()) {
  const after = evidence(incident.id, `${incident.id}-b`, 'image/png', picture(false), at)
  return {
    ...incident, state: 'closed', closed_at: at, close_reason: 'cleared', evidence: [...incident.evidence, after],
    timeline: [
      ...incident.timeline,
      { kind: 'sensed', at, ...MAGNET, value: 'absent' },
      { kind: 'cleared', at, reason: 'cleared' },
      command(at, 'capture', { latency_ms: 388, evidence: after.id }),
      { kind: 'incident', at, state: 'closed', reason: 'cleared' },
    ],
  }
}

function closedBlocked(id, t, lasted) {
  const { photo, sound, timeline } = opening(id, t)
  const open = { id, ...BLOCKED, ...LANE, state: 'open', severity: 'high', opened_at: ago(t), timeline, evidence: [photo, sound] }
  return closeBlocked(open, ago(t - lasted))
}

function doorLeftOpen(id, t) {
  const entity = { entity: 'zigbee.plant_2', entity_name: text('2号水泵房门磁 · 门', 'Contact, pump room 2 · Door'), role: 'door' }
  return {
    id, rule: 'plant_door_open', rule_name: text('设备间门未关', 'Plant room door left open'), zone: 'plant-2',
    zone_name: text('2号水泵房', 'Pump room 2'), state: 'acknowledged', severity: 'medium', opened_at: ago(t), closed_at: null,
    close_reason: null, evidence: [], ...UNHANDLED, handler: '王师傅',
    timeline: [
      { kind: 'sensed', at: ago(t + 600), ...entity, value: 'open' },
      {
        kind: 'opened', at: ago(t), for_s: 600, late_s: 0,
        trace: [witness({ ...entity, wanted: 'open', value: 'open', since: ago(t + 600) })],
      },
      { kind: 'incident', at: ago(t), state: 'open', reason: null },
      command(ago(t), 'notify', { contact: GUARD, latency_ms: 180 }),
      { kind: 'incident', at: ago(t - 60), state: 'acknowledged', reason: null },
    ],
  }
}

export const incidents = [openBlocked('20261121-0007', 432), doorLeftOpen('20261121-0006', 1860)]
for (let i = 0; i < 24; i++) incidents.push(closedBlocked(`20261120-${String(40 - i).padStart(4, '0')}`, 9_000 + i * 17_000, 190 + i * 31))

const entity = (role, id, name, capability, value, quality = 'good', seconds = 3600) => ({
  role, entity: id, name, capability, value, quality, since: seconds === null ? null : ago(seconds),
})
const media = (n) => [
  entity('camera', `onvif/lane-${n}/camera`, text(`${n}号楼北侧摄像机`, `Camera, building ${n}`), 'camera', null, 'good', null),
  entity('speaker', `horn/lane-${n}/speaker`, text(`${n}号楼北侧音柱`, `Loudspeaker, building ${n}`), 'speaker', null, 'good', null),
]
const rule = (phase, since, due) => ({
  rule: BLOCKED.rule, name: BLOCKED.rule_name, phase, since: since === null ? null : ago(since), due: due === null ? null : ago(-due),
})
const lane = (n, status, sensed, rules) => ({
  id: `lane-${n}`, kind: 'fire_lane', name: text(`${n}号楼北侧消防车道`, `Fire lane north of building ${n}`),
  area: text(`${n}号楼`, `Building ${n}`), status, entities: [sensed, ...media(n)], rules,
})
const magnet = (n, value, quality, seconds) =>
  entity('vehicle', `geomag/lane-${n}/presence`, text(`${n}号楼北侧地磁`, `Magnetometer, building ${n}`), 'presence', value, quality, seconds)

export const zones = [
  lane(1, 'calm', magnet(1, 'absent', 'good', 5400), [rule(null, null, null)]),
  lane(3, 'alarm', magnet(3, 'present', 'good', 612), [rule('active', 432, null)]),
  lane(5, 'pending', magnet(5, 'present', 'good', 22), [rule('pending', 22, 158)]),
  lane(8, 'blind', magnet(8, 'absent', 'stale', 90_000), [rule(null, null, null)]),
  {
    id: 'plant-2', kind: 'plant_door', name: text('2号水泵房', 'Pump room 2'), area: text('地下车库', 'Garage'), status: 'alarm',
    entities: [
      entity('door', 'zigbee/plant-2/contact', text('2号水泵房门磁', 'Contact on pump room 2'), 'contact', 'open', 'good', 2460),
      entity('smoke', 'zigbee/plant-2/smoke', text('2号水泵房烟感', 'Smoke detector in pump room 2'), 'alarm', null, 'unknown', null),
    ],
    rules: [{ rule: 'plant_door_open', name: text('设备间门未关', 'Plant room door left open'), phase: 'active', since: ago(1860), due: null }],
  },
]

export const site = {
  id: 'xingfu-li', name: text('幸福里小区', 'Xingfuli'), timezone: 'Asia/Shanghai', ready: true,
  modes: ['maintenance', 'typhoon', 'test'].map((mode) => ({ mode, on: false, until: null, by: '' })),
  links: [{ name: text('模拟台', 'Simulator'), url: '/sim/' }],
  problems: [text('8号楼北侧地磁已 25 小时没有读数', 'No reading from the magnetometer of building 8 for 25 hours')],
}

/** Nothing wrong: what the desk shows most of the time. */
export function calm() {
  incidents.splice(0, incidents.length, ...incidents.filter((one) => one.state === 'closed'))
  site.problems = []
  for (const zone of zones) {
    zone.status = 'calm'
    for (const one of zone.rules) Object.assign(one, { phase: null, since: null, due: null })
    for (const one of zone.entities) {
      if (one.role === 'camera' || one.role === 'speaker') continue
      const value = { vehicle: 'absent', door: 'closed', smoke: 'clear' }[one.role]
      Object.assign(one, { value, quality: 'good', since: ago(4000) })
    }
  }
}
