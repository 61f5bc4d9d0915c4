// The page as a browser test finds it: the hooks, and what they say.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Incident, Zone } from '@/api/types'
import App from '@/App.vue'
import { i18n } from '@/i18n'
import { makeRouter } from '@/router'
import { arrive } from '@/stores/arrival'
import { fetchOpen, freshIncidents } from '@/stores/incidents'
import { command, evidence, incident, sensed, T0, zone } from './samples'

let signedIn: boolean
let firstRun = false
let incidents: Incident[]
let zones: Zone[]
let page: VueWrapper

const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status })
const problem = (status: number, error = 'e'): Response => json({ error, message: 'm' }, status)

async function hub(request: Request): Promise<Response> {
  const url = new URL(request.url)
  const path = url.pathname.replace('/api/v1/', '')
  if (path === 'first-run' && request.method === 'GET') return json({ open: firstRun })
  if (path === 'first-run') {
    const given = (await request.json()) as { code: string; name: string; password: string }
    if (given.code !== 'ABCD-EFGH') return problem(422, 'wrong_code')
    signedIn = true
    return json({ name: given.name, role: 'admin', account: true })
  }
  if (path === 'session' && request.method === 'POST') {
    const given = (await request.json()) as Record<'token' | 'name' | 'password' | 'code', string | null>
    if (given.token === null && given.password !== 'right') return problem(401, 'wrong_password')
    if (given.token === null && given.code !== '123456') return problem(401, given.code ? 'wrong_code' : 'code_needed')
    signedIn = given.token === null || given.token === 'good'
    return signedIn ? json({ name: given.name ?? '王师傅', role: 'guard', account: given.token === null }) : problem(401)
  }
  if (!signedIn) return problem(401)
  if (path === 'session') return json({ name: '王师傅', role: 'guard', account: true })
  if (path === 'site') {
    const modes = [{ mode: 'maintenance', on: true, until: null, by: '陈经理' }]
    return json({
      id: 's', name: { zh: '幸福里小区', en: '' }, timezone: 'Asia/Shanghai', modes, links: [], ready: true,
      problems: [{ zh: '消息服务断开', en: 'broker away' }],
    })
  }
  if (path === 'zones') return json({ items: zones, next: null })
  const closed = url.searchParams.get('state') === 'closed'
  if (path === 'incidents') return json({ items: incidents.filter((one) => (one.state === 'closed') === closed), next: null })
  const found = incidents.find((one) => `incidents/${one.id}` === path)
  return found ? json(found) : problem(404)
}

const hook = (name: string): ReturnType<VueWrapper['find']> => page.find(`[data-testid="${name}"]`)

async function fill(name: string, text: string): Promise<void> {
  await page.find<HTMLInputElement>(`input[data-testid="${name}"]`).setValue(text)
}

async function send(): Promise<void> {
  await page.find('form').trigger('submit')
  await flushPromises()
}

async function open(address = '/'): Promise<void> {
  history.replaceState(null, '', `/#${address}`)
  const router = makeRouter()
  page = mount(App, { global: { plugins: [i18n, router] }, attachTo: document.body })
  await arrive(null)
  await router.isReady()
  await flushPromises()
}

beforeEach(() => {
  signedIn = true
  incidents = []
  zones = [zone()]
  vi.stubGlobal('fetch', hub)
  vi.stubGlobal('WebSocket', class { send(): void {} close(): void {} })
})

afterEach(async () => {
  signedIn = false
  await arrive(null) // the desk stops, as it does when a session ends
  page.unmount()
  vi.unstubAllGlobals()
})

describe('page', () => {
  it('asks for a token and says when it is wrong', async () => {
    signedIn = false
    await open()
    await hook('sign-in-other-way').trigger('click')
    const field = page.find<HTMLInputElement>('input[data-testid="sign-in-token"]')
    expect(hook('sign-in-submit').attributes('disabled')).toBeDefined()
    await field.setValue('bad')
    await page.find('form').trigger('submit')
    await flushPromises()
    expect(hook('sign-in-problem').text()).toBe('令牌不对或已经停用。')
    await field.setValue(' good ')
    await page.find('form').trigger('submit')
    await flushPromises()
    expect(hook('sign-in-token').exists()).toBe(false)
    expect(page.text()).toContain('幸福里小区')
  })

  it('asks for name, password and then the code', async () => {
    signedIn = false
    await open()
    await fill('sign-in-name', '陈经理')
    await fill('sign-in-password', 'wrong')
    await send()
    expect(hook('sign-in-problem').text()).toBe('姓名或密码不对。')
    expect(hook('sign-in-code').exists()).toBe(false)
    await fill('sign-in-password', 'right')
    await send()
    expect(hook('sign-in-problem').exists()).toBe(false)
    await fill('sign-in-code', '000000')
    await send()
    expect(hook('sign-in-problem').text()).toBe('代码不对、已用过或已过期。')
    await fill('sign-in-code', '123456')
    await send()
    expect(page.text()).toContain('幸福里小区')
  })

  it('makes the first administrator', async () => {
    signedIn = false
    firstRun = true
    await open()
    firstRun = false
    await fill('first-code', 'ABCD')
    await fill('first-name', '陈经理')
    await fill('new-password', 'a long password')
    await fill('new-password-again', 'a long passport')
    expect(hook('first-submit').attributes('disabled')).toBeDefined()
    await fill('new-password-again', 'a long password')
    await send()
    expect(hook('first-problem').text()).toBe('代码不对、已用过或已过期。')
    await fill('first-code', 'ABCD-EFGH')
    await send()
    expect(page.text()).toContain('幸福里小区')
  })

  it('says that all is well, what the hub cannot do, and which mode is on', async () => {
    await open()
    expect(hook('all-calm').text()).toContain('一切正常')
    expect(hook('banner-problems').text()).toContain('消息服务断开')
    expect(hook('banner-maintenance').text()).toContain('由 陈经理 开启')
  })

  it('does not say that all is well when it cannot see', async () => {
    zones = [zone({ status: 'blind' })]
    await open()
    expect(hook('all-calm').text()).not.toContain('一切正常')
    expect(hook('all-calm').text()).toContain('1 个防区失联')
  })

  it('shows open incidents and zones with their states', async () => {
    incidents = [incident({ id: 'a', severity: 'low' }), incident({ id: 'b', state: 'acknowledged' })]
    zones = [zone({ status: 'calm' }), zone({ id: 'y', status: 'alarm' })]
    await open()
    expect(page.findAll('[data-testid="incident-card"]').map((one) => one.attributes('data-state'))).toEqual(['acknowledged', 'open'])
    expect(page.findAll('[data-testid="zone-card"]').map((one) => one.attributes('data-status'))).toEqual(['alarm', 'calm'])
  })

  it('makes a new incident stand out and announces it, but not those already there', async () => {
    incidents = [incident({ id: 'a' })]
    await open()
    expect(freshIncidents.value.size).toBe(0)
    expect(hook('announcer').text()).toBe('')
    incidents.push(incident({ id: 'b', severity: 'low' }))
    await fetchOpen()
    await flushPromises()
    expect([...freshIncidents.value]).toEqual(['b'])
    expect(page.find('[data-id="b"]').classes()).toContain('fresh')
    expect(hook('announcer').text()).toBe('新事件：3号楼北侧消防车道，消防通道占用')
    expect(document.title).toBe('（2）门神')
  })

  it('tells an incident with pictures and sound', async () => {
    incidents = [incident({
      id: 'a',
      timeline: [sensed('present'), command({ action: 'capture', evidence: 'p' }), command({ action: 'say', evidence: 's' })],
      evidence: [evidence({ id: 'p' }), evidence({ id: 's', media_type: 'audio/wav', url: '/api/v1/evidence/s' })],
    })]
    await open('/incidents/a')
    expect(hook('incident-state').text()).toBe('未响应')
    expect(hook('incident-picture').attributes('src')).toBe('/api/v1/evidence/e1')
    expect(hook('incident-audio').attributes('src')).toBe('/api/v1/evidence/s')
    expect(hook('incident-timeline').findAll('li')).toHaveLength(3)
    expect(page.text()).toContain('ab'.repeat(32))
    await hook('language-switch').trigger('click')
    expect(hook('incident-state').text()).toBe('Unanswered')
    expect(localStorage.getItem('menshen.language')).toBe('en')
    expect(document.documentElement.lang).toBe('en-GB')
  })

  it('says when an incident does not exist', async () => {
    await open('/incidents/none')
    expect(page.find('[role="alert"].failure').text()).toContain('没有找到')
  })

  it('goes back to sign-in when the session is over', async () => {
    await open()
    signedIn = false
    await fetchOpen().catch(() => undefined)
    await flushPromises()
    expect(hook('sign-in-problem').text()).toBe('登录已过期，请重新登录。')
  })

  it('counts down in a zone that is timing', async () => {
    const due = new Date(Date.now() + 90_000).toISOString()
    zones = [zone({ status: 'pending', rules: [{ rule: 'r', name: { zh: '规则', en: '' }, phase: 'pending', since: T0, due }] })]
    await open()
    expect(hook('zone-countdown').text()).toMatch(/^还有 1:(29|30|31) 满时$/)
  })
})
