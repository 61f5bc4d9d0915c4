// A trial tells how far it is, and stops when it is told to.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { makeTrial } from '@/stores/trial'

const NOW = Date.parse('2026-11-20T00:00:00Z')

/** An answer that writes lines and then goes on for ever, until the request is given up. */
function endless(lines: string[]) {
  return (_url: string, init: RequestInit): Promise<Response> => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const line of lines) controller.enqueue(new TextEncoder().encode(`${line}\n`))
        init.signal!.addEventListener('abort', () => controller.error(new DOMException('gone', 'AbortError')))
      },
    })
    return Promise.resolve(new Response(body))
  }
}

afterEach(() => vi.unstubAllGlobals())

describe('a trial', () => {
  it('asks for the span, and stops', async () => {
    const fetched = vi.fn(endless(['{"progress":0.25,"result":null,"problem":null}']))
    vi.stubGlobal('fetch', fetched)
    const trial = makeTrial()
    const running = trial.run('rule: x', 7, NOW, 'other')
    await vi.waitUntil(() => trial.state.progress === 0.25)
    expect(JSON.parse(fetched.mock.lastCall![1].body as string)).toEqual(
      { rule: 'rule: x', begin: '2026-11-13T00:00:00.000Z', end: '2026-11-20T00:00:00.000Z', against: 'other' })
    trial.stop()
    await running
    expect([trial.state.running, trial.state.stopped, trial.state.problem]).toEqual([false, true, null])
  })

  it('says what went wrong', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"error":"busy","message":"another"}', { status: 409 })))
    const trial = makeTrial()
    await trial.run('rule: x', 1, NOW, null)
    expect(trial.state).toMatchObject({ running: false, stopped: false, problem: { status: 409, code: 'busy' } })
  })

  it('gives the problem of its last line', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"progress":0,"result":null,"problem":{"error":"nothing_recorded","message":"m"}}\n')))
    const trial = makeTrial()
    await trial.run('rule: x', 1, NOW, null)
    expect(trial.state.problem).toMatchObject({ code: 'nothing_recorded' })
  })
})
