import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError, client, onSessionExpired, read } from '@/api/client'
import { setLanguage } from '@/i18n'
import { problemWords } from '@/words/problem'

const fetched = vi.fn<(request: Request) => Promise<Response>>()
const expired = vi.fn()
onSessionExpired(expired)

function answer(status: number, body: unknown = {}): void {
  fetched.mockImplementation(() => Promise.resolve(new Response(status === 204 ? null : JSON.stringify(body), { status })))
}

beforeEach(() => {
  fetched.mockReset()
  expired.mockReset()
  vi.stubGlobal('fetch', fetched)
})
afterEach(() => vi.unstubAllGlobals())

const signIn = (): Promise<unknown> => read(client.POST('/api/v1/session', { body: { token: 'x', name: null, password: null, code: null } }))
const sentHeader = (): string | null | undefined => fetched.mock.lastCall?.[0].headers.get('X-Menshen')

describe('client', () => {
  it('marks every request that changes something, and no other', async () => {
    answer(200)
    await signIn()
    expect(sentHeader()).toBe('1')
    await read(client.PUT('/api/v1/site/modes/{mode}', { params: { path: { mode: 'test' } }, body: { on: true, minutes: null } }))
    expect(sentHeader()).toBe('1')
    await read(client.GET('/api/v1/site'))
    expect(sentHeader()).toBeNull()
    answer(204)
    await read(client.DELETE('/api/v1/session'))
    expect(sentHeader()).toBe('1')
  })

  it('says that the session is over, but not for a wrong token', async () => {
    answer(401, { error: 'unauthorized', message: 'no' })
    await expect(signIn()).rejects.toMatchObject({ status: 401, code: 'unauthorized' })
    expect(expired).not.toHaveBeenCalled()
    await expect(read(client.GET('/api/v1/zones'))).rejects.toBeInstanceOf(ApiError)
    expect(expired).toHaveBeenCalledOnce()
  })

  it('turns a dead network into an ApiError', async () => {
    fetched.mockRejectedValue(new TypeError('failed to fetch'))
    const error = await read(client.GET('/api/v1/site')).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ status: 0, unreachable: true })
    expect(problemWords(error)).toBe('连不上门神，请检查网络。')
  })

  it.each([
    [401, '令牌不对或已经停用。', 'The token is wrong or no longer valid.'],
    [403, '您的账号没有这个权限。', 'Your account may not do this.'],
    [404, '没有找到，可能已经按期限删除。', 'Not found. It may have been deleted at the end of its term.'],
    [422, '门神不接受这个请求。（minutes）', 'Menshen did not accept the request. (minutes)'],
    [429, '尝试太频繁，请稍后再试。', 'Too many tries. Please wait a little.'],
    [500, '门神内部出错，请稍后再试。（minutes）', 'Menshen had an internal error. Please try again later. (minutes)'],
    [502, '连不上门神，请检查网络。', 'Menshen cannot be reached. Check the network.'],
  ])('has plain words for %d', (status, zh, en) => {
    const error = new ApiError(status, 'code', 'minutes')
    expect(problemWords(error)).toBe(zh)
    setLanguage('en')
    expect(problemWords(error)).toBe(en)
  })
})
