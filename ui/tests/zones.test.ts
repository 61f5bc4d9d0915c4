import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fetchSomeZones, fetchZones, zones } from '@/stores/zones'
import { zone } from './samples'

/** What was asked, each with its names, and what the hub says. */
const asked: string[][] = []
let known = [zone({ id: 'a' }), zone({ id: 'b' })]
let fails = false

beforeEach(() => {
  asked.length = 0
  fails = false
  known = [zone({ id: 'a' }), zone({ id: 'b' })]
  vi.stubGlobal('fetch', async (request: Request) => {
    const names = new URL(request.url).searchParams.getAll('id')
    asked.push(names)
    if (fails) return new Response('{}', { status: 500, headers: { 'Content-Type': 'application/json' } })
    const items = known.filter((one) => !names.length || names.includes(one.id))
    return new Response(JSON.stringify({ items, next: null }), { headers: { 'Content-Type': 'application/json' } })
  })
})

afterEach(() => vi.unstubAllGlobals())

const status = (id: string): string | undefined => zones.value?.find((one) => one.id === id)?.status

describe('zones', () => {
  it('asks only for those that changed, and keeps the others', async () => {
    await fetchZones()
    known = [zone({ id: 'a', status: 'alarm' }), zone({ id: 'b', status: 'alarm' })]
    await fetchSomeZones(['a'])
    expect(asked).toEqual([[], ['a']])
    expect([status('a'), status('b')]).toEqual(['alarm', 'calm'])
  })

  it('asks once for what changes during a question', async () => {
    await fetchZones()
    await Promise.all([fetchSomeZones(['a']), fetchSomeZones(['b']), fetchSomeZones(['a', 'b'])])
    expect(asked).toEqual([[], ['a'], ['b', 'a']])
  })

  it('asks for all when that was wanted meanwhile, or after a failure', async () => {
    await fetchZones()
    await Promise.all([fetchSomeZones(['a']), fetchZones(), fetchSomeZones(['b'])])
    expect(asked).toEqual([[], ['a'], []])
    fails = true
    await expect(fetchSomeZones(['b'])).rejects.toThrow()
    fails = false
    await fetchSomeZones(['b'])
    expect(asked.at(-1)).toEqual([])
  })
})
