// One draft, two views: what is typed while the hub answers is not lost, nor what somebody else wrote meanwhile.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RuleForm } from '@/api/types'
import { makeDraft } from '@/stores/draft'

const FORM: RuleForm = {
  rule: 'a', name: { zh: '甲', en: '' }, zone_kind: 'gate', only: [], without: [], trigger: { term: null, hold: '3 min' }, conditions: [],
  actions: [], escalation: [], clear: { term: null, hold: null }, clear_actions: [], enabled: true, dry_run: false, cooldown: null,
  quiet_hours: null, kept: [],
}

let file: { text: string; version: string } | null
let asked: { text: string; form: RuleForm | null }[]
let merged: string | null
let hold: Promise<void>

/** The hub's far end: a draft's text is `hold=<hold>`. */
async function hub(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname.replace('/api/v1/rules/', '')
  const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status })
  const shown = (): unknown => ({ id: 'a', file: 'a.yaml', author: '', reason: '', at: null, active: true, ...file })
  if (path === 'draft') {
    const body = await request.json() as { text: string; form: RuleForm | null }
    asked.push(body)
    await hold
    const text = body.form === null ? body.text : `hold=${String(body.form.trigger.hold)}`
    if (text === 'broken') return json({ text, form: null, findings: [{ line: 1, column: 1, sentence: 's', zh: '', warning: false, path: '', file: '' }], summary: null })
    return json({ text, form: { ...FORM, trigger: { term: null, hold: text.slice(5) } }, findings: [], summary: null })
  }
  if (path === 'merge') return json({ text: merged })
  if (request.method === 'PUT') {
    const body = await request.json() as { text: string; base: string }
    if (body.base !== (file?.version ?? '')) return json({ error: 'overtaken', message: 'm' }, 409)
    file = { text: body.text, version: `v${body.text}` }
    return json(shown())
  }
  return file === null ? json({ error: 'not_found', message: '' }, 404) : json(shown())
}

beforeEach(() => {
  file = { text: 'hold=3 min', version: 'v1' }
  asked = []
  merged = null
  hold = Promise.resolve()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.stubGlobal('fetch', hub)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function opened(): Promise<ReturnType<typeof makeDraft>> {
  const draft = makeDraft()
  await draft.open('a')
  return draft
}

describe('a draft', () => {
  it('begins as the file, and is not changed', async () => {
    const draft = await opened()
    expect(draft.fields.form?.trigger.hold).toBe('3 min')
    expect([draft.dirty.value, draft.errors.value]).toEqual([false, []])
  })

  it('writes the form into the text, and the text into the form', async () => {
    const draft = await opened()
    draft.fields.form!.trigger.hold = '5 min'
    expect(draft.formAhead()).toBe(true)
    await draft.settled()
    expect([draft.state.text, draft.dirty.value]).toEqual(['hold=5 min', true])
    draft.editText('hold=7 min')
    await draft.settled()
    expect(draft.fields.form?.trigger.hold).toBe('7 min')
    expect(asked.at(-1)?.form).toBeNull()
  })

  it('asks once for what is typed quickly', async () => {
    const draft = await opened()
    for (const text of ['5', '55', '55 min']) draft.fields.form!.trigger.hold = text
    await vi.advanceTimersByTimeAsync(1_000)
    await vi.waitUntil(() => !draft.state.checking)
    expect(asked.map((body) => body.form?.trigger.hold)).toEqual([undefined, '55 min'])
  })

  it('drops an answer that an edit has overtaken', async () => {
    const draft = await opened()
    let release = (): void => undefined
    hold = new Promise((resolve) => (release = resolve))
    draft.fields.form!.trigger.hold = '4 min'
    await vi.advanceTimersByTimeAsync(400)
    draft.fields.form!.trigger.hold = '6 min'
    release()
    for (let n = 0; n < 20; n += 1) await vi.advanceTimersByTimeAsync(1) // the answer comes in; the next question waits
    expect(draft.fields.form?.trigger.hold).toBe('6 min')
    await draft.settled()
    expect([draft.fields.form?.trigger.hold, draft.state.text]).toEqual(['6 min', 'hold=6 min'])
  })

  it('keeps the form while the text cannot be read', async () => {
    const draft = await opened()
    draft.editText('broken')
    await draft.settled()
    expect([draft.state.readable, draft.errors.value.length, draft.fields.form?.trigger.hold]).toEqual([false, 1, '3 min'])
  })

  it('takes over a hand edit when nothing was typed', async () => {
    const draft = await opened()
    file = { text: 'hold=9 min', version: 'v2' }
    expect(await draft.compare()).toBe(true)
    expect([draft.state.text, draft.state.meanwhile]).toEqual(['hold=9 min', null])
  })

  it('tells of a hand edit when something was typed, and joins both', async () => {
    const draft = await opened()
    draft.editText('hold=5 min')
    file = { text: 'hold=9 min', version: 'v2' }
    await draft.settled()
    expect(await draft.compare()).toBe(false)
    expect(draft.state.meanwhile?.file?.text).toBe('hold=9 min')
    expect(await draft.merge()).toBe(false)
    expect(draft.state.text, 'nothing is lost').toBe('hold=5 min')
    merged = 'hold=59 min'
    expect(await draft.merge()).toBe(true)
    await draft.settled()
    expect(await draft.save('r')).toBe(true)
    expect(file.text).toBe('hold=59 min')
  })

  it('is not saved over what somebody wrote meanwhile', async () => {
    const draft = await opened()
    draft.editText('hold=5 min')
    file = { text: 'hold=9 min', version: 'v2' }
    expect(await draft.save('r')).toBe(false)
    expect([file.text, draft.state.text, draft.state.meanwhile?.file?.version]).toEqual(['hold=9 min', 'hold=5 min', 'v2'])
    draft.keepOver(draft.state.meanwhile!.file)
    expect(await draft.save('r')).toBe(true)
    expect(file.text).toBe('hold=5 min')
  })

  it('is told when the rule was deleted meanwhile', async () => {
    const draft = await opened()
    file = null
    await draft.compare()
    expect(draft.state.meanwhile).toEqual({ file: null })
  })
})
