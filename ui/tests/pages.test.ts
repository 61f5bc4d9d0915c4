// Pages that no other test mounts, each with the answers of a small hub: what they say, and what they ask for.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import AppHeader from '@/components/AppHeader.vue'
import SightPicture from '@/components/SightPicture.vue'
import TrialPictures from '@/components/rules/TrialPictures.vue'
import ActionField from '@/components/rules/ActionField.vue'
import AuditPage from '@/pages/AuditPage.vue'
import HandoverPage from '@/pages/HandoverPage.vue'
import HealthPage from '@/pages/HealthPage.vue'
import ReportsPage from '@/pages/ReportsPage.vue'
import RosterPage from '@/pages/RosterPage.vue'
import SearchPage from '@/pages/SearchPage.vue'
import SightPage from '@/pages/SightPage.vue'
import UsersPage from '@/pages/UsersPage.vue'
import type { BacktestLife, BacktestResult, Report, RuleAction } from '@/api/types'
import { i18n } from '@/i18n'
import { makeRouter } from '@/router'
import { DRAFT } from '@/components/rules/draft'
import { restoreSession } from '@/stores/session'
import { fetchSite } from '@/stores/site'
import { evidence } from './samples'

const T0 = '2026-11-20T06:03:07Z'
const name = (zh: string): { zh: string; en: string } => ({ zh, en: zh })
const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status })

let page: VueWrapper
let role: string
let asked: URL[]
let answers: Record<string, (request: Request) => Response | Promise<Response>>

const hook = (id: string): ReturnType<VueWrapper['find']> => page.find(`[data-testid="${id}"]`)

async function open(component: Component, at = '/', props: Record<string, unknown> = {}, provide = {}): Promise<void> {
  const router = makeRouter()
  await router.push(at)
  page = mount(component, { props, global: { plugins: [router, i18n], provide }, attachTo: document.body })
  await flushPromises()
  await flushPromises()
}

beforeEach(async () => {
  role = 'admin'
  asked = []
  answers = {}
  vi.stubGlobal('fetch', async (input: Request | string, init?: RequestInit) => {
    const request = typeof input === 'string' ? new Request(new URL(input, location.origin), init) : input
    const url = new URL(request.url)
    asked.push(url)
    const path = url.pathname.replace('/api/v1/', '')
    if (path === 'session') return json({ name: '陈经理', role, account: true, factor_due: null })
    if (path === 'site') return json({ id: 's', name: name('幸福里小区'), timezone: 'Asia/Shanghai', modes: [], links: [], ready: true, problems: [] })
    const found = answers[path]
    return found ? found(request) : json({ items: [], next: null })
  })
  await restoreSession()
  await fetchSite()
})

afterEach(() => {
  page.unmount()
  vi.unstubAllGlobals()
})

describe('the reports', () => {
  const report: Report = {
    period: 'month', at: '2026-11', begin: '2026-10-31T16:00:00Z', end: '2026-11-30T16:00:00Z', made: T0, title: name('幸福里小区 月报 2026-11'),
    subtitle: name('s'), tables: [{ id: 'lanes', title: name('消防通道'), note: name('n'), columns: [{ id: 'name', title: name('名称'), unit: 'text' }], rows: [[name('3号楼')]], bar: '' }],
  }
  const line = (progress: number, result: Report | null = null): string => `${JSON.stringify({ progress, result, problem: null })}\n`

  /** An answer that goes on until it is given up. */
  function endless(first: string) {
    return (request: Request): Response => new Response(new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(first))
        request.signal.addEventListener('abort', () => controller.error(new DOMException('gone', 'AbortError')))
      },
    }))
  }

  it('say how far they are, and stop', async () => {
    answers['reports/lines'] = endless(line(0.42))
    await open(ReportsPage)
    await vi.waitUntil(() => page.text().includes('已完成 42%'))
    await hook('work-stop').trigger('click')
    await vi.waitUntil(() => hook('work-stopped').exists())
    expect(hook('work').exists()).toBe(false)
    expect(page.text()).toContain('已停止')
  })

  it('show the tables, and ask for the file of just what they show', async () => {
    answers['reports/lines'] = () => new Response(line(0.5) + line(1, report))
    answers['reports/pdf'] = () => json({ error: 'no_font', message: 'm' }, 409)
    await open(ReportsPage)
    await vi.waitUntil(() => hook('report').exists())
    expect(hook('report-table').text()).toContain('3号楼')
    await hook('report-pdf').trigger('click')
    await flushPromises()
    const file = asked.find((url) => url.pathname.endsWith('/pdf'))!
    expect(file.searchParams.get('made')).toBe(T0)
    expect(page.find('[role="alert"]').text()).toContain('fonts-noto-cjk')
  })

  it('keep the old one while the next is counted', async () => {
    answers['reports/lines'] = () => new Response(line(1, report))
    await open(ReportsPage)
    await vi.waitUntil(() => hook('report').exists())
    answers['reports/lines'] = endless(line(0.1))
    await hook('report-earlier').trigger('click')
    await vi.waitUntil(() => hook('work').exists())
    expect(asked.at(-1)!.search).toBe('?period=month&at=2026-10')
    expect(hook('report').exists()).toBe(true)
  })
})

describe('the search', () => {
  it('asks with the times of the site, not of the browser', async () => {
    await open(SearchPage, '/search?begin=2026-11-20T08:00&text=%E8%BD%A6')
    const found = asked.find((url) => url.pathname.endsWith('/search/incidents'))!
    expect([found.searchParams.get('begin'), found.searchParams.get('text')]).toEqual(['2026-11-20T00:00:00.000Z', '车'])
    expect(page.text()).toContain('没有找到')
  })
})

describe('the health of devices', () => {
  const device = {
    id: 'x/a', name: 'a', integration: 'x', device: 'a', state: 'running', reason: '', battery: 15, signal: null, heard: T0, entities: 2,
    untrusted: 2, unconfirmed: 2, unheard: 0, alarms: 4, judged: 2, false: 1, noise: 0.5, tickets: 0, clock_ahead: null, clock_wrong: false,
  }

  it('does not call silent what only waits to be confirmed', async () => {
    answers.upkeep = () => json({ items: [device, { ...device, id: 'x/b', unconfirmed: 1 }], next: null })
    await open(HealthPage)
    const rows = page.findAll('[data-testid="upkeep"]')
    expect(rows.map((row) => row.attributes('data-id'))).toEqual(['x/b', 'x/a'])
    expect(rows[0]!.text()).toContain('1 个测点失联')
    expect(rows[1]!.text()).toContain('2 个测点待确认')
    expect(rows[1]!.text()).toContain('50%')
  })

  it('does not call lost what was never heard', async () => {
    const all = { ...device, unconfirmed: 0, unheard: 2 }
    answers.upkeep = () => json({ items: [all, { ...all, id: 'x/b', unheard: 1 }], next: null })
    await open(HealthPage)
    const [fresh, half] = page.findAll('[data-testid="upkeep"]').map((row) => row.text())
    expect(fresh).toContain('2 个测点从未收到读数')
    expect(fresh).not.toContain('失联')
    expect(half).toContain('1 个测点失联，1 个测点从未收到读数')
  })
})

describe('the header', () => {
  const links = (): string[] => page.findAll('nav a').map((link) => link.text())

  it('has all pages in groups for an administrator', async () => {
    await open(AppHeader)
    expect(page.findAll('nav [role="group"]').map((one) => one.attributes('aria-label'))).toEqual(['值班', '小区', '记录', '人员'])
    expect(links()).toHaveLength(16)
    expect(page.find('nav a[aria-current="page"]').text()).toBe('值班台')
  })

  it('has only what a guard may open', async () => {
    role = 'guard'
    await restoreSession()
    await open(AppHeader)
    expect(links()).not.toContain('报表')
    expect(links()).toHaveLength(12)
  })
})

describe('a trial', () => {
  const life = (opened_at: string, pictures: BacktestLife['pictures'] = []): BacktestLife => ({
    zone: 'a', since: opened_at, opened_at, running: false, late_s: 0, cleared_at: null, reason: null, done: {}, withheld: {}, pictures,
  })
  const result = { comparison: null, zones: [{ zone: 'a', zone_name: name('3号楼北侧') }] } as unknown as BacktestResult
  const bar = (one: BacktestLife) => ({ side: 'both' as const, zone: 'a', from: 0, to: 1, life: one })

  it('shows the pictures that are there, fetched only when they are scrolled to', async () => {
    const clip = evidence({ id: 'v', media_type: 'video/mp4', incident: null })
    await open(TrialPictures, '/', { result, bars: [bar(life(T0)), bar(life(T0, [evidence({ id: 'p', incident: '7' }), clip]))] })
    expect(hook('trial-seen').text()).toBe('2 次中有 1 次留有当时的画面：')
    expect(hook('trial-picture').attributes('loading')).toBe('lazy')
    expect(hook('trial-clip').attributes('preload')).toBe('none')
    expect(page.findAll('figcaption a')).toHaveLength(1)
  })

  it('says that there are none', async () => {
    await open(TrialPictures, '/', { result, bars: [bar(life(T0))] })
    expect(hook('trial-seen').text()).toContain('没有留下画面')
  })
})

describe('the form of a rule', () => {
  it('makes a clip of a picture, and a picture of a clip', async () => {
    let action: RuleAction = { kind: 'capture', before: null, after: null }
    const update = (next: RuleAction): void => { action = next; void page.setProps({ modelValue: next }) }
    await open(ActionField, '/', { modelValue: action, path: 'actions.0', 'onUpdate:modelValue': update }, { [DRAFT as symbol]: { state: { findings: [] } } })
    expect(hook('clip-before').exists()).toBe(false)
    await hook('capture-clip').setValue(true)
    expect(action).toEqual({ kind: 'capture', before: '5 s', after: '10 s' })
    expect(hook('clip-after').find('input').element.value).toBe('10')
    await hook('capture-clip').setValue(false)
    expect(action).toEqual({ kind: 'capture', before: null, after: null })
  })
})

describe('the picture of a camera', () => {
  it('is asked for once a second, however often live was switched on and off', async () => {
    const waiting: (() => void)[] = []
    answers['sight/lane/picture'] = () => new Promise((answer) => waiting.push(() => answer(new Response(new Blob(['x'])))))
    await open(SightPicture, '/', { camera: 'lane', sight: { link: 'streaming', seen: [] }, overlay: false, source: '' })
    for (const _ of ['on', 'off', 'on', 'off']) await hook('sight-live').trigger('click')
    await flushPromises()
    expect(waiting).toHaveLength(3)
    vi.useFakeTimers()
    for (const answer of waiting.splice(0)) answer()
    await vi.advanceTimersByTimeAsync(1_500)
    vi.useRealTimers()
    expect(waiting).toHaveLength(1)
  })
})

describe('pages of the office', () => {
  it.each([
    ['audit', AuditPage, '操作记录'], ['users', UsersPage, '用户'], ['roster', RosterPage, '值班'], ['handover', HandoverPage, '交接班'],
    ['sight', SightPage, '看'],
  ] as const)('%s opens empty, without a fault', async (_page, component, words) => {
    const faults = vi.spyOn(console, 'error')
    answers.sight = () => json({ items: [], next: null })
    answers.roster = () => json({ version: 0, roster: { people: [], shifts: [], absences: [] }, on_duty: [], contacts: [] })
    answers.briefing = () => json({ incidents: [], modes: [], devices: [], more_incidents: 0, more_devices: 0 })
    await open(component)
    expect(page.text()).toContain(words)
    expect(faults).not.toHaveBeenCalled()
  })
})
